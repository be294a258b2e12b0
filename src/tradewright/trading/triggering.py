"""How a batch decides what watchers propose of orders: wake, deal, move a stop, end a reducer.

A proposal is only that: each function asks again, under the account's lock, whether what it says
still holds, and does nothing where it does not.
"""

import json
from decimal import Decimal

from tradewright.core.errors import ErrorCode
from tradewright.liquidity.board import Top
from tradewright.risk.checks import first_denial
from tradewright.routing.model import Book
from tradewright.trading import conditions, orders, reducing, rules
from tradewright.trading.expiry import has_expired
from tradewright.trading.facts import gather_facts
from tradewright.trading.model import (
    EndReducing,
    EventType,
    ExpireOrder,
    MoveStop,
    NothingDone,
    OrderReport,
    OrderType,
    TriggerOrder,
)
from tradewright.trading.state import AccountState, Desk, OrderState

_GONE = NothingDone("the order no longer rests")


OrderProposal = TriggerOrder | ExpireOrder | MoveStop | EndReducing


def follow(desk: Desk, account: AccountState, proposal: OrderProposal) -> OrderReport | NothingDone:
    """Do what a watcher proposes of an order, as far as it still holds."""
    match proposal:
        case TriggerOrder():
            return trigger(desk, account, proposal)
        case ExpireOrder():
            return expire(desk, proposal)
        case MoveStop():
            return move_stop(desk, proposal)
        case EndReducing():
            return end_reducing(desk, account, proposal)


def trigger(desk: Desk, account: AccountState, command: TriggerOrder) -> OrderReport | NothingDone:
    """Wake or deal a resting order whose price has been reached, if that still holds."""
    order = _resting(desk, command.order_id)
    if order is None:
        return _GONE
    if has_expired(desk, order):
        orders.expire(desk, order)
        return order.report()
    if any(other.is_routed for other in orders.alternatives(desk, order)):
        return NothingDone("an alternative is with a provider", may_last=True)
    stop_price = _stop_price(order, command)
    top = desk.market.top(order.instrument.symbol)
    if top is None or not order.instrument.is_in_session(desk.market.now):
        return NothingDone("no fresh price, or no session", may_last=True)
    if not _is_reached(order, stop_price, top):
        return NothingDone("the price is no longer there")
    if stop_price is not None and stop_price != order.stop_price:
        _tighten(desk, order, stop_price)
    _go_on(desk, account, order)
    return order.report()


def expire(desk: Desk, command: ExpireOrder) -> OrderReport | NothingDone:
    """End an order whose time is over; one that is with a provider is left until that answers."""
    order = _resting(desk, command.order_id)
    if order is None:
        return _GONE
    if not has_expired(desk, order):
        return NothingDone("the order's time is not over")
    orders.expire(desk, order)
    return order.report()


def move_stop(desk: Desk, command: MoveStop) -> OrderReport | NothingDone:
    """Write down where a trailing stop stands; it only ever tightens."""
    order = _resting(desk, command.order_id)
    if order is None or order.stop_price is None or not order.awaits_trigger:
        return _GONE
    stop_price = rules.tighter_stop(order.side, order.stop_price, command.stop_price)
    if order.order_type is not OrderType.TRAILING_STOP or stop_price == order.stop_price:
        return NothingDone("the stop has not tightened")
    _tighten(desk, order, stop_price)
    return order.report()


def _tighten(desk: Desk, order: OrderState, stop_price: Decimal) -> None:
    """Move a trailing stop, with its event: the order can be told from its events alone."""
    order.stop_price = stop_price
    details = json.dumps({"stop_price": f"{stop_price:f}"})
    orders.record(desk, order, EventType.RESTATED, order.status, "house", details=details)


def end_reducing(
    desk: Desk, account: AccountState, command: EndReducing
) -> OrderReport | NothingDone:
    """Cancel a resting order that has nothing left to reduce."""
    order = _resting(desk, command.order_id)
    if order is None:
        return _GONE
    if reducing.denial(account, order) is None:
        return NothingDone("there is something to reduce")
    orders.end(desk, order, ErrorCode.ORDER_NOTHING_TO_REDUCE, None)
    return order.report()


def _resting(desk: Desk, order_id: str) -> OrderState | None:
    order = desk.orders.get(order_id)
    if order is None or not order.status.is_live or order.is_routed:
        return None
    return order


def _stop_price(order: OrderState, command: TriggerOrder) -> Decimal | None:
    """Return where the stop stands: the watcher may know a trailing one to be tighter."""
    if order.order_type is OrderType.TRAILING_STOP and order.stop_price is not None:
        return rules.tighter_stop(order.side, order.stop_price, command.stop_price)
    return order.stop_price


def _is_reached(order: OrderState, stop_price: Decimal | None, top: Top) -> bool:
    """Return whether the price is there that the order waits for."""
    if order.awaits_trigger:
        return conditions.is_reached(order, stop_price, top)
    return conditions.has_price(order, top)


def _go_on(desk: Desk, account: AccountState, order: OrderState) -> None:
    """Take a due order one step further: it wakes, and deals unless its limit is not met."""
    top = desk.market.top(order.instrument.symbol)
    deals = top is not None and conditions.has_price(order, top)
    if deals and reducing.denial(account, order) is not None:
        orders.end(desk, order, ErrorCode.ORDER_NOTHING_TO_REDUCE, None)
        return
    denial = first_denial(gather_facts(desk, account, order, rests=not deals))
    if denial is not None:
        orders.deny(desk, order, denial)
        return
    if order.awaits_trigger:
        orders.wake(desk, order)
    elif order.book is not Book.B:
        seen = desk.market.describe(order.instrument.symbol)
        orders.record(desk, order, EventType.RESTATED, order.status, "house", details=seen)
    if deals:
        orders.execute(desk, account, order)
