"""How a batch decides what clients ask of orders: submit, cancel, trigger.

Each function takes the desk and one command, changes the rows of the batch in memory, and
returns its report; it raises where the command means nothing, and then nothing is changed.
"""

from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.liquidity.instrument import Instrument
from tradewright.risk.checks import first_denial
from tradewright.routing.model import Book
from tradewright.trading import closing, conditions, orders, rules
from tradewright.trading.expiry import expires_at, has_expired
from tradewright.trading.facts import gather_facts
from tradewright.trading.model import (
    CancelOrder,
    EventType,
    NothingDone,
    OrderReport,
    OrderStatus,
    OrderType,
    SubmitOrder,
    TimeInForce,
    TriggerOrder,
)
from tradewright.trading.state import AccountState, Desk, OrderState


def submit(desk: Desk, account: AccountState, command: SubmitOrder) -> OrderReport:
    """Take, deny, rest or deal a client's new order.

    Raises:
        InputError: INSTRUMENT_UNKNOWN, ORDER_DUPLICATE_DIFFERS, and what
            `rules.require_well_formed`, `closing.require_closable` and `expires_at` raise.
        StateError: what `closing.require_closable` and `expires_at` raise.

    """
    instrument = _instrument(desk, command.symbol)
    rules.require_well_formed(command, instrument)
    key = (command.account_id, command.client_order_id)
    first = desk.orders_by_key.get(key)
    if first is not None:
        return _replay(first, command)
    if command.position_id is not None:
        closing.require_closable(account, command, command.position_id)
    dated = expires_at(desk, command)
    order = orders.order_from_command(command, account, instrument, dated)
    desk.orders_by_key[key] = order
    rests = conditions.rests(order, desk.market.top(instrument.symbol))
    denial = first_denial(gather_facts(desk, account, order, rests=rests))
    if denial is not None:
        orders.deny(desk, order, denial)
        return order.report()
    orders.accept(desk, account, order)
    if not rests:
        if order.order_type is OrderType.STOP:
            orders.record(desk, order, EventType.TRIGGERED, order.status, "house")
        orders.execute(desk, account, order)
    return order.report()


def cancel(desk: Desk, account: AccountState, command: CancelOrder) -> OrderReport:
    """Cancel a live order; one that is with a provider is canceled if no fill comes.

    Asking again while the provider's answer is awaited changes nothing.

    Raises:
        InputError: ORDER_UNKNOWN (FIX CxlRejReason 1).
        StateError: ORDER_ENDED (FIX CxlRejReason 0, too late).

    """
    order = desk.orders_by_key.get((account.id, command.client_order_id))
    if order is None:
        raise InputError(
            ErrorCode.ORDER_UNKNOWN,
            f'order "{command.client_order_id}" does not exist in account "{account.id}"',
            why="Orders are found by the client order id under which they were submitted.",
            hint="Check the client order id and the account.",
        )
    if not order.status.is_live:
        raise StateError(
            ErrorCode.ORDER_ENDED,
            f'order "{order.client_order_id}" is {order.status} and cannot be canceled',
            why="An order that has ended never changes.",
            hint="Read the order; to undo a fill, trade the other way.",
        )
    if not order.is_routed:
        orders.end(desk, order, None, None)
    elif OrderStatus.PENDING_CANCEL.outranks(order.status):
        orders.ask_cancel(desk, order)
    return order.report()


def trigger(desk: Desk, account: AccountState, command: TriggerOrder) -> OrderReport | NothingDone:
    """Deal a resting order whose price has been reached, if that still holds and it still lives."""
    order = desk.orders.get(command.order_id)
    if order is None or not order.status.is_live or order.is_routed:
        return NothingDone("the order no longer rests")
    if has_expired(desk, order):
        orders.expire(desk, order)
        return order.report()
    if not _may_deal_now(desk, order):
        return NothingDone("the price is no longer there")
    denial = first_denial(gather_facts(desk, account, order, rests=False))
    if denial is not None:
        orders.deny(desk, order, denial)
        return order.report()
    is_stop = order.order_type is OrderType.STOP
    if is_stop or order.book is not Book.B:
        event = EventType.TRIGGERED if is_stop else EventType.RESTATED
        seen = desk.market.describe(order.instrument.symbol)
        orders.record(desk, order, event, order.status, "house", details=seen)
    orders.execute(desk, account, order)
    return order.report()


def _may_deal_now(desk: Desk, order: OrderState) -> bool:
    """Return whether a resting order's price is there, in a session of its instrument."""
    top = desk.market.top(order.instrument.symbol)
    if top is None or conditions.rests(order, top):
        return False
    return order.instrument.is_in_session(desk.market.now)


def _instrument(desk: Desk, symbol: str) -> Instrument:
    instrument = desk.instruments.get(symbol)
    if instrument is None:
        raise InputError(
            ErrorCode.INSTRUMENT_UNKNOWN,
            f'unknown instrument "{symbol}"',
            why="An order names an instrument of this broker by its symbol.",
            hint=f"Use one of {', '.join(sorted(desk.instruments))}.",
            facts={"symbol": symbol},
        )
    return instrument


def _replay(first: OrderState, command: SubmitOrder) -> OrderReport:
    """Answer a repeated submission with the first order; another order under its key is refused."""
    before = (
        first.instrument.symbol,
        first.side,
        first.order_type,
        first.time_in_force,
        first.quantity,
        first.limit_price,
        first.stop_price,
        first.stop_loss,
        first.take_profit,
        first.expires_at if first.time_in_force is TimeInForce.GTD else None,
        first.position_id,
    )
    now = (
        command.symbol,
        command.side,
        command.order_type,
        command.time_in_force,
        command.quantity,
        command.limit_price,
        command.stop_price,
        command.stop_loss,
        command.take_profit,
        command.expires_at,
        command.position_id,
    )
    if before != now:
        raise InputError(
            ErrorCode.ORDER_DUPLICATE_DIFFERS,
            f'order "{command.client_order_id}" was submitted before with other contents',
            why=f"The first order under this key is a {first.side} of {first.quantity} "
            f"{first.instrument.symbol} (FIX OrdRejReason 6).",
            hint="Use a new client order id for a new order.",
            facts={"order_id": first.id},
        )
    return first.report(is_replay=True)
