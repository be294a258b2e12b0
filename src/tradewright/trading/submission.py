"""How a batch decides what clients ask of orders: submit and cancel.

Each function takes the desk and one command, changes the rows of the batch in memory, and
returns its report; it raises where the command means nothing, and then nothing is changed.
"""

from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.liquidity.instrument import Instrument
from tradewright.risk.checks import first_denial
from tradewright.trading import closing, conditions, orders
from tradewright.trading.facts import gather_facts
from tradewright.trading.figures import Figures, first_figures
from tradewright.trading.lifecycle import outranks
from tradewright.trading.model import (
    CancelOrder,
    OrderReport,
    OrderStatus,
    OrderType,
    SubmitOrder,
    TimeInForce,
)
from tradewright.trading.order_form import require_well_formed
from tradewright.trading.state import AccountState, Desk, OrderState
from tradewright.trading.terms import terms_of, trailing_terms


def submit(desk: Desk, account: AccountState, command: SubmitOrder) -> OrderReport:
    """Take, deny, rest or deal a client's new order.

    Raises:
        InputError: INSTRUMENT_UNKNOWN, ORDER_DUPLICATE_DIFFERS, and what
            `require_well_formed`, `closing.require_closable` and `terms_of` raise.
        StateError: what `closing.require_closable` and `terms_of` raise.

    """
    instrument = _instrument(desk, command.symbol)
    require_well_formed(command, instrument)
    key = (command.account_id, command.client_order_id)
    first = desk.orders_by_key.get(key)
    if first is not None:
        return _replay(first, command)
    if command.position_id is not None:
        closing.require_closable(account, command, command.position_id)
    if command.oco_group is not None:
        _require_one_symbol(desk, command)
    terms = terms_of(desk, command, instrument)
    order = orders.order_from_command(command, account, instrument, terms)
    desk.orders_by_key[key] = order
    _begin(desk, account, order)
    return order.report()


def _begin(desk: Desk, account: AccountState, order: OrderState) -> None:
    """Deny a new order, or take it: then it sleeps, rests, or deals."""
    top = desk.market.top(order.instrument.symbol)
    rests = conditions.rests(order, top)
    denial = orders.refused_on_arrival(desk, account, order, rests=rests)
    if denial is None:
        denial = first_denial(gather_facts(desk, account, order, rests=rests))
    if denial is not None:
        orders.deny(desk, order, denial)
        return
    orders.accept(desk, account, order)
    if order.awaits_trigger and conditions.is_reached(order, order.stop_price, top):
        orders.wake(desk, order)
    if not rests:
        orders.execute(desk, account, order)


def cancel(desk: Desk, account: AccountState, command: CancelOrder) -> OrderReport:
    """Cancel a live order; one that is with a provider is canceled if no fill comes.

    Asking again while the provider's answer is awaited changes nothing.

    Raises:
        InputError: ORDER_UNKNOWN (FIX CxlRejReason 1).
        StateError: ORDER_ENDED (FIX CxlRejReason 0, too late).

    """
    order = orders.named(desk, account, command.client_order_id)
    if not order.status.is_live:
        raise StateError(
            ErrorCode.ORDER_ENDED,
            f'order "{order.client_order_id}" is {order.status} already',
            why="An order that has ended never changes; a cancel that is sent again finds it so.",
            hint="Read the order; to undo a fill, trade the other way.",
        )
    if not order.is_routed:
        orders.end(desk, order, None, None)
    elif outranks(OrderStatus.PENDING_CANCEL, order.status):
        orders.ask_cancel(desk, order)
    return order.report(command.client_order_id)


def _require_one_symbol(desk: Desk, command: SubmitOrder) -> None:
    """Refuse an alternative in another symbol: what one deals could not be taken from the other."""
    for other in desk.orders_by_key.values():
        is_of_group = (other.account_id, other.oco_group) == (command.account_id, command.oco_group)
        if is_of_group and other.instrument.symbol != command.symbol:
            raise InputError(
                ErrorCode.ORDER_FIELDS_CONTRADICT,
                f'order "{command.client_order_id}" cannot join the group "{command.oco_group}"',
                why=f"Its other orders are in {other.instrument.symbol}.",
                hint="Give alternatives in one symbol, or another group.",
                facts={"client_order_id": command.client_order_id},
            )


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
    if _contents_of(first) != _contents_asked(command, first):
        raise InputError(
            ErrorCode.ORDER_DUPLICATE_DIFFERS,
            f'order "{command.client_order_id}" was submitted before with other contents',
            why="The first order under this key is a "
            f"{first.side} of {first_figures(first).quantity} {first.instrument.symbol} "
            "(FIX OrdRejReason 6).",
            hint="Use a new client order id for a new order.",
            facts={"order_id": first.id},
        )
    return first.report(is_replay=True)


def _contents_of(first: OrderState) -> tuple[object, ...]:
    """Return what its client first asked an order to be."""
    return (
        first.client_order_id,
        *_figures(first, first_figures(first)),
        first.instrument.symbol,
        first.side,
        first.order_type,
        first.time_in_force,
        first.stop_loss,
        first.take_profit,
        first.expires_at if first.time_in_force is TimeInForce.GTD else None,
        first.position_id,
        first.trailing_terms,
        first.is_reduce_only,
        first.is_post_only,
        first.oco_group,
    )


def _contents_asked(command: SubmitOrder, first: OrderState) -> tuple[object, ...]:
    return (
        command.client_order_id,
        *_figures(first, Figures(command.quantity, command.limit_price, command.stop_price)),
        command.symbol,
        command.side,
        command.order_type,
        command.time_in_force,
        command.stop_loss,
        command.take_profit,
        command.expires_at,
        command.position_id,
        trailing_terms(command),
        command.is_reduce_only or command.order_type is OrderType.TAKE_PROFIT,
        command.is_post_only,
        command.oco_group,
    )


def _figures(first: OrderState, asked: Figures) -> tuple[object, ...]:
    """Return those figures by which orders are told apart; a trailing stop moves by itself."""
    stop_price = None if first.trailing_terms is not None else asked.stop_price
    return asked.quantity, asked.limit_price, stop_price
