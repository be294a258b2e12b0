"""What an order waits for: whether its trigger is reached, and whether it may deal at this price.

Asked when an order arrives and again, under lock, when a watcher proposes that its price has been
reached. Pure.
"""

from decimal import Decimal

from tradewright.liquidity.board import Top
from tradewright.trading import rules
from tradewright.trading.model import OrderType
from tradewright.trading.state import OrderState


def rests(order: OrderState, top: Top | None) -> bool:
    """Return whether the order waits: for its trigger, or for its limit."""
    if order.order_type is OrderType.MARKET:
        return False
    if top is None:
        return order.time_in_force.may_rest
    if order.awaits_trigger and not is_reached(order, order.stop_price, top):
        return True
    return not has_price(order, top)


def is_reached(order: OrderState, stop_price: Decimal | None, top: Top | None) -> bool:
    """Return whether a sleeping order wakes at this price.

    A take profit wakes on the side of gain, every other stop on the side of loss.
    """
    if stop_price is None or top is None:
        return False
    if order.order_type is OrderType.TAKE_PROFIT:
        return rules.limit_is_met(order.side, stop_price, top)
    return rules.stop_is_reached(order.side, stop_price, top)


def has_price(order: OrderState, top: Top) -> bool:
    """Return whether an order that sleeps no more may deal, as far as its limit goes."""
    if order.limit_price is None or not order.time_in_force.may_rest:
        return True
    return rules.limit_is_met(order.side, order.limit_price, top)


def may_rest_with_remainder(order: OrderState) -> bool:
    """Return whether what an order could not deal rests on, rather than being canceled."""
    return order.limit_price is not None and order.time_in_force.may_rest
