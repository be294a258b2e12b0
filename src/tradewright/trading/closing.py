"""How a batch closes positions: for the client who asks, or for a watcher whose price is reached.

Each function takes the desk and one command, changes the rows of the batch in memory, and
returns its report; it raises where the command means nothing, and then nothing is changed.
`positions` says what closing does to the account.
"""

from decimal import Decimal

from tradewright.core.errors import ErrorCode, InputError, MoneyError, StateError
from tradewright.liquidity.board import Top
from tradewright.trading import orders, positions, rules
from tradewright.trading.groups import PositionMode
from tradewright.trading.model import (
    ClosePosition,
    NothingDone,
    OrderReport,
    OrderType,
    Origin,
    SubmitOrder,
    TimeInForce,
)
from tradewright.trading.order_form import require_part, require_within
from tradewright.trading.pairings import CloseBy, CloseByReport
from tradewright.trading.state import AccountState, Desk, OrderState, PositionState

_FREE = Decimal(0)
"""The commission of closing a position against another."""

_IMMEDIATE = frozenset({TimeInForce.IOC, TimeInForce.FOK})


def close_position(
    desk: Desk, account: AccountState, command: ClosePosition
) -> OrderReport | NothingDone:
    """Close an open position, whole or as much of it as the client names.

    Raises:
        InputError: POSITION_UNKNOWN, when a client names a position that is not open;
            POSITION_QUANTITY_EXCEEDED, ORDER_QUANTITY_OFF_STEP, ORDER_KEY_MALFORMED,
            ORDER_DUPLICATE_DIFFERS.
        StateError: INSTRUMENT_SESSION_CLOSED and ORDER_PRICE_STALE, when a client's close has no
            price to deal on; ORDER_RATE_MISSING, when its result cannot be converted;
            POSITION_NOT_IN_TURN; ORDER_IN_FLIGHT.

    """
    first = desk.orders_by_key.get((account.id, command.client_order_id or ""))
    if first is not None:
        return _replay(first, command)
    position = account.position(command.symbol, command.position_id)
    if command.origin is Origin.CLIENT:
        return _close_asked(desk, account, _require_part(account, position, command), command)
    if position is None:
        return NothingDone("the position is no longer open")
    return _close_reached(desk, account, position, command.origin)


def _close_asked(
    desk: Desk, account: AccountState, position: PositionState, command: ClosePosition
) -> OrderReport:
    """Close what a client names, or as much of it as the client names."""
    if is_being_closed(account, position):
        raise _in_flight(position)
    refusal = _cannot_deal(desk, position)
    if refusal is not None:
        raise refusal
    positions.require_rates(desk, account, position.instrument)
    asked = (command.quantity, command.client_order_id)
    return close(desk, account, position, command.origin, asked).report()


def _close_reached(
    desk: Desk, account: AccountState, position: PositionState, origin: Origin
) -> OrderReport | NothingDone:
    """Close what a protection of a position holds for, if it is reached."""
    first = first_in_turn(account, position)
    if is_being_closed(account, first):
        return NothingDone("the position is being closed", may_last=True)
    top = desk.market.top(position.instrument.symbol)
    if top is None or _cannot_deal(desk, position) is not None:
        return NothingDone("no fresh price, or no session", may_last=True)
    if not _protection_holds(position, origin, top):
        return NothingDone("the price is no longer there")
    if first is not position and _protection_holds(first, origin, top):
        return NothingDone("the oldest position's protection closes it")
    positions.require_rates(desk, account, position.instrument)
    return _close_protected(desk, account, first, origin).report()


def _cannot_deal(desk: Desk, position: PositionState) -> StateError | None:
    symbol = position.instrument.symbol
    if not position.instrument.is_in_session(desk.market.now):
        return StateError(
            ErrorCode.INSTRUMENT_SESSION_CLOSED,
            f'position "{position.id}" could not be closed outside the session of "{symbol}"',
            why="Nothing is dealt while the instrument is not traded.",
            hint="Try again when the session opens.",
        )
    if desk.market.top(symbol) is None:
        return StateError(
            ErrorCode.ORDER_PRICE_STALE,
            f'position "{position.id}" could not be closed without a fresh price',
            why=f'No provider has a quote for "{symbol}" that is fresh enough.',
            hint="Try again when quotes arrive.",
        )
    return None


def close(
    desk: Desk,
    account: AccountState,
    position: PositionState,
    origin: Origin,
    asked: tuple[Decimal | None, str | None] = (None, None),
) -> OrderState:
    """Submit and execute a market order that closes the position; the price has been checked.

    `asked` is the quantity, if it is not the whole, and the client's key, if there is one.
    """
    return _deal(desk, account, orders.closing_order(account, position, origin, asked))


def _close_protected(
    desk: Desk, account: AccountState, first: PositionState, origin: Origin
) -> OrderState:
    """Close what a reached protection holds for: a position, or in FIFO all of the symbol.

    There one order deals for all of it, the oldest first: of two, the younger position's could
    deal before the older's, or be dealt where that is not (decision 043).
    """
    held = [first]
    if account.group.position_mode is PositionMode.FIFO:
        everything = account.positions[first.instrument.symbol]
        held = [one for one in everything if not is_being_closed(account, one)]
    if len(held) == 1:
        return close(desk, account, first, origin)
    quantity = sum((abs(one.quantity) for one in held), Decimal(0))
    order = orders.closing_order(account, first, origin, (quantity, None))
    order.position_id, order.is_reduce_only = None, True
    return _deal(desk, account, order)


def _deal(desk: Desk, account: AccountState, order: OrderState) -> OrderState:
    desk.orders_by_key[(account.id, order.client_order_id)] = order
    orders.accept(desk, account, order)
    orders.execute(desk, account, order)
    return order


def close_by(desk: Desk, account: AccountState, command: CloseBy) -> CloseByReport:
    """Close two opposite positions against each other, once per key.

    Raises:
        InputError: POSITION_UNKNOWN, POSITION_PAIR_UNFIT.
        MoneyError: MONEY_IDEMPOTENCY_CONFLICT.
        StateError: ORDER_IN_FLIGHT, ORDER_RATE_MISSING.

    """
    before = desk.close_bys_before.get(command.close_by_id)
    if before is not None:
        return _paired_before(*before, command)
    one, other = _pair(account, command)
    positions.require_rates(desk, account, one.instrument)
    quantity, price = min(abs(one.quantity), abs(other.quantity)), other.average_price
    signed = quantity if one.quantity < 0 else -quantity
    cause = (None, command.close_by_id)
    desk.changes.close_bys.append(
        (command.close_by_id, account.id, one.id, other.id, quantity, price, desk.market.now)
    )
    pnl = positions.close(desk, account, one, cause, (signed, price, _FREE))
    positions.close(desk, account, other, cause, (-signed, price, _FREE))
    report = CloseByReport(command.close_by_id, quantity, price, pnl)
    desk.close_bys_before[command.close_by_id] = (command, report)
    return report


def require_closable(account: AccountState, command: SubmitOrder, position_id: str) -> None:
    """Refuse an order that names a position which it cannot close.

    Raises:
        InputError: POSITION_UNKNOWN, ORDER_FIELDS_CONTRADICT, POSITION_QUANTITY_EXCEEDED.
        StateError: ORDER_IN_FLIGHT, POSITION_NOT_IN_TURN.

    """
    position = account.position(command.symbol, position_id)
    if position is None:
        raise unknown(account, position_id)
    is_opposite = position.quantity * command.side.sign < 0
    is_plain = command.stop_loss is None and command.take_profit is None
    if not is_opposite or not is_plain or command.time_in_force not in _IMMEDIATE:
        raise InputError(
            ErrorCode.ORDER_FIELDS_CONTRADICT,
            f'order "{command.client_order_id}" cannot close position "{position_id}"',
            why="An order that names a position is immediate, of the other side, and has neither "
            "stop-loss nor take-profit.",
            hint="Give the fields of a closing order, or leave the position out.",
            facts={"client_order_id": command.client_order_id},
        )
    require_within(command.quantity, position.quantity, position.instrument)
    if is_being_closed(account, position):
        raise _in_flight(position)
    _require_turn(account, position, command.quantity)


def is_being_closed(account: AccountState, position: PositionState) -> bool:
    """Return whether an order is with a provider that may close the position.

    In netting that is every order of the other side, whether or not it names the position; in
    FIFO those of the other side that name none, as what they do not open closes in turn.
    """
    return any(
        order.is_routed
        and (
            order.position_id == position.id
            or (
                _closes_unnamed(account, order)
                and order.instrument.symbol == position.instrument.symbol
                and order.side.sign * position.quantity < 0
            )
        )
        for order in account.live_orders.values()
    )


def _closes_unnamed(account: AccountState, order: OrderState) -> bool:
    """Return whether an order may close positions that it does not name."""
    if account.group.position_mode is PositionMode.FIFO:
        return order.position_id is None
    return order.is_reduce_only or account.nets


def first_in_turn(account: AccountState, position: PositionState) -> PositionState:
    """Return what the house closes in place of a position: in FIFO the oldest of the symbol."""
    if account.group.position_mode is PositionMode.FIFO:
        return account.positions[position.instrument.symbol][0]
    return position


def _require_part(
    account: AccountState, position: PositionState | None, command: ClosePosition
) -> PositionState:
    """Return what a client closes; refuse what is not there, or not in its turn."""
    if position is None:
        raise unknown(account, command.position_id)
    quantity = require_part(command, position.quantity, position.instrument)
    _require_turn(account, position, quantity)
    return position


def _require_turn(account: AccountState, position: PositionState, quantity: Decimal) -> None:
    """Refuse to close a younger position before an older one (NFA rule 2-43(b)).

    At the client's request a position may be closed whole if it is the oldest of its size.
    """
    if account.group.position_mode is not PositionMode.FIFO:
        return
    held = account.positions[position.instrument.symbol]
    same_size = [one for one in held if one.quantity == position.quantity]
    if position is held[0] or (position is same_size[0] and quantity == abs(position.quantity)):
        return
    raise StateError(
        ErrorCode.POSITION_NOT_IN_TURN,
        f'position "{position.id}" cannot be closed before position "{held[0].id}"',
        why="This account closes the oldest position first; another only whole, and only as the "
        "oldest of its size (NFA rule 2-43(b)).",
        hint="Close the oldest position, or submit an order without a position.",
        facts={"position_id": position.id, "oldest_id": held[0].id},
    )


def _pair(account: AccountState, command: CloseBy) -> tuple[PositionState, PositionState]:
    """Return the two positions of a pairing."""
    one = account.position(command.symbol, command.position_id)
    other = account.position(command.symbol, command.by_position_id)
    if one is None or other is None:
        raise unknown(account, command.position_id if one is None else command.by_position_id)
    if one.quantity * other.quantity > 0:
        raise InputError(
            ErrorCode.POSITION_PAIR_UNFIT,
            f'positions "{one.id}" and "{other.id}" are both on one side',
            why="Only a long and a short position close each other.",
            hint="Name two opposite positions of one symbol.",
        )
    for position in (one, other):
        if is_being_closed(account, position):
            raise _in_flight(position)
    return one, other


def _paired_before(asked: CloseBy, report: CloseByReport, command: CloseBy) -> CloseByReport:
    if asked != command:
        raise MoneyError(
            ErrorCode.MONEY_IDEMPOTENCY_CONFLICT,
            f'pairing "{command.close_by_id}" was booked before for other positions',
            why="A key stands for one pairing for ever.",
            hint="Use a new key for a new pairing.",
        )
    return CloseByReport(
        report.close_by_id, report.quantity, report.price, report.realised_pnl, is_replay=True
    )


def _replay(first: OrderState, command: ClosePosition) -> OrderReport:
    """Answer a repeated close with its order; another under its key is refused."""
    is_all = command.quantity is None
    is_same = first.closes_whole if is_all else first.quantity == command.quantity
    is_close = (first.order_type, first.time_in_force) == (OrderType.MARKET, TimeInForce.IOC)
    if first.position_id != command.position_id or not is_same or not is_close:
        raise InputError(
            ErrorCode.ORDER_DUPLICATE_DIFFERS,
            f'order "{command.client_order_id}" was submitted before with other contents',
            why="The first order under this key does not close this quantity of this position.",
            hint="Use a new client order id for a new order.",
            facts={"order_id": first.id},
        )
    return first.report(is_replay=True)


def unknown(account: AccountState, position_id: str) -> InputError:
    """Return the refusal of a position that is not open: POSITION_UNKNOWN."""
    return InputError(
        ErrorCode.POSITION_UNKNOWN,
        f'position "{position_id}" is not open in account "{account.id}"',
        why="A position is closed once, and a flip closes one position and opens another.",
        hint="Read the account's open positions.",
    )


def _in_flight(position: PositionState) -> StateError:
    return StateError(
        ErrorCode.ORDER_IN_FLIGHT,
        f'position "{position.id}" could not be closed while a provider decides on its close',
        why="A position is closed by one order at a time.",
        hint="Try again when the provider has answered.",
    )


def _protection_holds(position: PositionState, origin: Origin, top: Top) -> bool:
    """Return whether the protection that asked for the close is reached at this price."""
    if origin is Origin.STOP_LOSS:
        level = position.stop_loss
        return level is not None and rules.stop_loss_is_reached(position.quantity, level, top)
    level = position.take_profit
    return level is not None and rules.take_profit_is_reached(position.quantity, level, top)
