"""How a batch closes positions: for the client who asks, or for a watcher whose price is reached.

Each function takes the desk and one command, changes the rows of the batch in memory, and
returns its report; it raises where the command means nothing, and then nothing is changed.
"""

from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.liquidity.board import Top
from tradewright.trading import orders, rules
from tradewright.trading.model import ClosePosition, NothingDone, OrderReport, Origin
from tradewright.trading.positions import require_rates
from tradewright.trading.state import AccountState, Desk, OrderState, PositionState


def close_position(
    desk: Desk, account: AccountState, command: ClosePosition
) -> OrderReport | NothingDone:
    """Close an open position whole.

    Raises:
        InputError: POSITION_UNKNOWN, when a client names a position that is not open.
        StateError: INSTRUMENT_SESSION_CLOSED and ORDER_PRICE_STALE, when a client's close has no
            price to deal on; ORDER_RATE_MISSING, when its result cannot be converted.

    """
    position = account.position(command.symbol, command.position_id)
    if position is None:
        if command.origin is not Origin.CLIENT:
            return NothingDone("the position is no longer open")
        raise InputError(
            ErrorCode.POSITION_UNKNOWN,
            f'position "{command.position_id}" is not open in account "{account.id}"',
            why="A position is closed once, and a flip closes one position and opens another.",
            hint="Read the account's open positions.",
        )
    if is_being_closed(account, position):
        return NothingDone("the position is being closed")
    top = desk.market.top(command.symbol)
    refusal = _cannot_deal(desk, position, top)
    if refusal is not None and command.origin is Origin.CLIENT:
        raise refusal
    if top is None or refusal is not None:
        return NothingDone("no fresh price, or no session")
    if not _protection_holds(position, command.origin, top):
        return NothingDone("the price is no longer there")
    require_rates(desk, account, position.instrument)
    return close(desk, account, position, command.origin).report()


def _cannot_deal(desk: Desk, position: PositionState, top: Top | None) -> StateError | None:
    symbol = position.instrument.symbol
    if not position.instrument.is_in_session(desk.market.now):
        return StateError(
            ErrorCode.INSTRUMENT_SESSION_CLOSED,
            f'position "{position.id}" could not be closed outside the session of "{symbol}"',
            why="Nothing is dealt while the instrument is not traded.",
            hint="Try again when the session opens.",
        )
    if top is None:
        return StateError(
            ErrorCode.ORDER_PRICE_STALE,
            f'position "{position.id}" could not be closed without a fresh price',
            why=f'No provider has a quote for "{symbol}" that is fresh enough.',
            hint="Try again when quotes arrive.",
        )
    return None


def close(desk: Desk, account: AccountState, position: PositionState, origin: Origin) -> OrderState:
    """Submit and execute a market order that closes the position; the price has been checked."""
    order = orders.closing_order(account, position, origin)
    orders.accept(desk, account, order)
    orders.execute(desk, account, order)
    return order


def is_being_closed(account: AccountState, position: PositionState) -> bool:
    """Return whether a closing order for the position is with a provider."""
    return any(
        order.is_routed
        and order.origin is not Origin.CLIENT
        and order.instrument.symbol == position.instrument.symbol
        for order in account.live_orders.values()
    )


def _protection_holds(position: PositionState, origin: Origin, top: Top) -> bool:
    """Return whether the protection that asked for the close is reached at this price."""
    if origin is Origin.STOP_LOSS:
        level = position.stop_loss
        return level is not None and rules.stop_loss_is_reached(position.quantity, level, top)
    if origin is Origin.TAKE_PROFIT:
        level = position.take_profit
        return level is not None and rules.take_profit_is_reached(position.quantity, level, top)
    return True
