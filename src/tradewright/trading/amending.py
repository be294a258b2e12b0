"""How a batch changes the stop-loss and take-profit of what is open, for the client who asks.

Takes the desk and one command, changes the rows of the batch in memory, and returns its report; it
raises where the command means nothing, and then nothing is changed. `positions` gives positions
the levels of the orders that deal; `closing` closes what has reached its level.
"""

from decimal import Decimal

from msgspec import UNSET

from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.core.ids import new_id_text
from tradewright.liquidity.board import Top
from tradewright.trading import closing, rules
from tradewright.trading.amendments import AmendPosition, AmendReport, Level
from tradewright.trading.groups import PositionMode
from tradewright.trading.order_form import require_price
from tradewright.trading.state import AccountState, Desk, PositionState


def amend(desk: Desk, account: AccountState, command: AmendPosition) -> AmendReport:
    """Change, add or remove the levels of an open position, once per key.

    In FIFO they are those of all of the symbol (decision 043). Nothing is dealt, so it may be done
    while the market is closed: new levels are then held against the last price known.

    Raises:
        InputError: POSITION_UNKNOWN, POSITION_AMENDMENT_DIFFERS, ORDER_PRICE_MALFORMED,
            ORDER_PRICE_OFF_TICK.
        StateError: POSITION_LEVELS_UNCHANGED, ORDER_PROTECTION_ON_WRONG_SIDE, ORDER_PRICE_STALE
            when a level is given and no price has ever been known.

    """
    key = (account.id, command.amendment_id)
    before = desk.amendments_before.get(key)
    if before is not None:
        return _replay(*before, command)
    position = account.position(command.symbol, command.position_id)
    if position is None:
        raise closing.unknown(account, command.position_id)
    _require_change(position, command)
    top = _price_seen(desk, position, command)
    for one in _covered(account, position):
        _amend_one(desk, one, command, top)
    report = _report(position, command)
    desk.amendments_before[key] = (command, report)
    return report


def _require_change(position: PositionState, command: AmendPosition) -> None:
    asked = command.stop_loss, command.take_profit
    present = position.stop_loss, position.take_profit
    if any(one is not UNSET and one != now for one, now in zip(asked, present, strict=True)):
        return
    raise StateError(
        ErrorCode.POSITION_LEVELS_UNCHANGED,
        f'position "{position.id}" has the levels already that are asked for',
        why=f"Its stop-loss is {_said(present[0])} and its take-profit {_said(present[1])}.",
        hint="Nothing is left to be done; otherwise give a level that differs.",
        facts={"position_id": position.id},
    )


def _price_seen(desk: Desk, position: PositionState, command: AmendPosition) -> Top | None:
    """Return the price that the new levels stand around; None where levels are only removed."""
    given = [one for one in (command.stop_loss, command.take_profit) if isinstance(one, Decimal)]
    if not given:
        return None
    symbol = position.instrument.symbol
    for name, level in (("stop-loss", command.stop_loss), ("take-profit", command.take_profit)):
        if isinstance(level, Decimal):
            require_price(name, level, position.instrument)
    top = desk.market.top(symbol) or desk.market.last_top(symbol)
    if top is None:
        raise StateError(
            ErrorCode.ORDER_PRICE_STALE,
            f'position "{position.id}" could not be amended without any price',
            why=f'No provider has quoted "{symbol}" since the engine has kept prices.',
            hint="Try again when quotes arrive; a level can be removed at any time.",
            facts={"symbol": symbol},
        )
    _require_sides(position, command, top)
    return top


def _require_sides(position: PositionState, command: AmendPosition, top: Top) -> None:
    """Refuse a level that the price has reached: it would close the position at once."""
    quantity, price = position.quantity, top.bid if position.quantity > 0 else top.ask
    for name, level, is_reached, side in (
        ("stop-loss", command.stop_loss, rules.stop_loss_is_reached, -1),
        ("take-profit", command.take_profit, rules.take_profit_is_reached, 1),
    ):
        if isinstance(level, Decimal) and is_reached(quantity, level, top):
            stands = "above" if quantity * side > 0 else "below"
            raise StateError(
                ErrorCode.ORDER_PROTECTION_ON_WRONG_SIDE,
                f'the {name} {level:f} of position "{position.id}" stands on the wrong side',
                why=f"It must be {stands} the price {price:f} at which the position would close.",
                hint="Give a level on the other side, or close the position.",
                facts={"position_id": position.id, "level": level, "price": price},
            )


def _covered(account: AccountState, position: PositionState) -> list[PositionState]:
    """Return the positions for which an amendment of one of them holds."""
    if account.group.position_mode is PositionMode.FIFO:
        return account.positions[position.instrument.symbol]
    return [position]


def _amend_one(
    desk: Desk, position: PositionState, command: AmendPosition, top: Top | None
) -> None:
    before = position.stop_loss, position.take_profit
    position.stop_loss = _level(command.stop_loss, position.stop_loss)
    position.take_profit = _level(command.take_profit, position.take_profit)
    position.amended_by = new_id_text()
    desk.changes.amended[position.id] = position
    desk.changes.amendments.append(
        (
            position.amended_by,
            position.account_id,
            command.amendment_id,
            position.id,
            position.version,
            position.id == command.position_id,
            command.stop_loss is not UNSET,
            command.take_profit is not UNSET,
            *before,
            position.stop_loss,
            position.take_profit,
            *((None, None, None) if top is None else (top.bid, top.ask, top.quoted_at)),
            desk.market.now,
        )
    )


def _level(asked: Level, present: Decimal | None) -> Decimal | None:
    return asked if asked is None or isinstance(asked, Decimal) else present


def _report(position: PositionState, command: AmendPosition) -> AmendReport:
    levels = position.stop_loss, position.take_profit
    return AmendReport(command.amendment_id, position.id, *levels)


def _replay(first: AmendPosition, report: AmendReport, command: AmendPosition) -> AmendReport:
    """Answer a repeated amendment with what it did; another under its key is refused."""
    if first != command:
        raise InputError(
            ErrorCode.POSITION_AMENDMENT_DIFFERS,
            f'amendment "{command.amendment_id}" was booked before with other contents',
            why="A key stands for one amendment for ever.",
            hint="Use a new key for a new amendment.",
            facts={"position_id": first.position_id},
        )
    levels = report.stop_loss, report.take_profit
    return AmendReport(report.amendment_id, report.position_id, *levels, is_replay=True)


def _said(level: Decimal | None) -> str:
    return "not set" if level is None else f"{level:f}"
