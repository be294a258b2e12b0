"""What an order waits for: whether it rests at the present price, and whether that has changed.

Asked when an order arrives and again, under lock, when a watcher proposes that its price has been
reached. Pure.
"""

from tradewright.liquidity.board import Top
from tradewright.trading import rules
from tradewright.trading.model import OrderType
from tradewright.trading.state import OrderState


def rests(order: OrderState, top: Top | None) -> bool:
    """Return whether the order waits: a stop not reached, or a resting limit not met."""
    match order.order_type:
        case OrderType.MARKET:
            return False
        case OrderType.STOP:
            return not _is_reached(order, top)
        case OrderType.LIMIT:
            return order.time_in_force.may_rest and not _is_met(order, top)


def may_rest_with_remainder(order: OrderState) -> bool:
    """Return whether what an order could not deal rests on, rather than being canceled."""
    return order.order_type is OrderType.LIMIT and order.time_in_force.may_rest


def _is_reached(order: OrderState, top: Top | None) -> bool:
    if top is None or order.stop_price is None:
        return False
    return rules.stop_is_reached(order.side, order.stop_price, top)


def _is_met(order: OrderState, top: Top | None) -> bool:
    if top is None or order.limit_price is None:
        return False
    return rules.limit_is_met(order.side, order.limit_price, top)
