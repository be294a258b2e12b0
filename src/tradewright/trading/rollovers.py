"""How a batch carries positions over the rollover: each position and day once, money with its row.

The watcher proposes it with the first quote at or after 17:00 in New York, before anything that
the same quote sets off, and commands of an account are booked in their order: what is open when
the command is decided was open over the rollover, unless the quote that it was opened on came
after it. Whatever an account is asked to do, what it owes is booked first, so that no position is
closed or made smaller without its swap. Each is valued at the last price and rate known; one
without any since the engine started waits, the others do not; the watcher proposes again.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from tradewright.core.errors import ErrorCode, StateError
from tradewright.core.ids import new_id_text
from tradewright.core.trading_day import last_ended_day
from tradewright.ledger.model import HouseCode
from tradewright.risk.margin import closing_price
from tradewright.trading.positions import booked
from tradewright.trading.state import AccountState, Desk, PositionState
from tradewright.trading.swap_store import DAYS_MAX, Rolling
from tradewright.trading.swaps import (
    RollOver,
    RolloverReport,
    SwapForm,
    SwapTerms,
    days_over,
    swap_amount,
    swap_currency,
)

_ONE_DAY = timedelta(days=1)
_NOTHING = Decimal(0)


_Due = tuple[date, int, SwapTerms]
"""A rollover that is due: its day, for how many days it pays, and the terms of that day."""


class _Swap(Struct, frozen=True):
    """One position's swap for one rollover, in the account's currency."""

    position: PositionState
    rollover_on: date
    days: int
    rate: Decimal
    amount: Decimal


def roll_over(desk: Desk, account: AccountState, command: RollOver) -> RolloverReport:
    """Book the swap of every position for every rollover that it has been open over, once.

    Raises:
        StateError: SWAP_DAY_NOT_ENDED.

    """
    require_ended(command.through, desk.market.now)
    swaps: list[_Swap] = []
    is_complete = True
    for position in account.open_positions:
        due = list(_due(desk.rolling, position, command.through))
        valued = _valued(desk, account, position, due[:DAYS_MAX])
        is_complete = is_complete and len(valued) == len(due)
        swaps += valued
    for swap in swaps:
        _book(desk, account, swap)
    if is_complete:
        desk.rolled[account.id] = max(command.through, desk.rolled.get(account.id, date.min))
    amount = sum((swap.amount for swap in swaps), _NOTHING)
    return RolloverReport(account.id, len(swaps), amount, is_complete)


def settle(desk: Desk, account: AccountState) -> None:
    """Book what an account owes before a command changes what it holds, or its money.

    What waits for a price or rate is noted in `unvalued`: `positions` books no trade in it.
    """
    command = RollOver(account_id=account.id, through=last_ended_day(desk.market.now))
    report = roll_over(desk, account, command)
    while report.booked_count and not report.is_complete:
        report = roll_over(desk, account, command)
    desk.unrolled.discard(account.id)


def _valued(
    desk: Desk, account: AccountState, position: PositionState, due: Sequence[_Due]
) -> list[_Swap]:
    """Return a position's swaps in order of days, up to the first without a price or rate."""
    swaps = []
    for one in due:
        swap = _swap(desk, account, position, one)
        if swap is None:
            desk.unvalued.add((account.id, position.instrument.symbol))
            break
        swaps.append(swap)
    return swaps


def require_ended(through: date, now: datetime) -> None:
    """Refuse a rollover through a day that has not ended: what is booked is never taken back.

    Raises:
        StateError: SWAP_DAY_NOT_ENDED.

    """
    ended = last_ended_day(now)
    if through > ended:
        raise StateError(
            ErrorCode.SWAP_DAY_NOT_ENDED,
            f"{through} has not ended and cannot be rolled over",
            why=f"Swap is due at 17:00 in New York; the last day that has ended is {ended}.",
            hint="Name a day that has ended.",
            facts={"through": str(through), "last_ended": str(ended)},
        )


def _due(rolling: Rolling, position: PositionState, through: date) -> Iterator[_Due]:
    """Give the rollovers that a position has been open over and that are not booked."""
    opened = rolling.opened.get(position.id)
    if opened is None:
        return
    day = max(last_ended_day(opened), rolling.rolled.get(position.id, date.min)) + _ONE_DAY
    holidays = rolling.book.holidays_of(position.instrument)
    while day <= through:
        terms = rolling.book.terms_on(position.instrument.symbol, day)
        days = 0 if terms is None else days_over(day, terms, holidays)
        if terms is not None and days:
            yield day, days, terms
        day += _ONE_DAY


def _swap(desk: Desk, account: AccountState, position: PositionState, due: _Due) -> _Swap | None:
    """Return what a position pays or earns for one rollover; None without a price or rate."""
    on, days, terms = due
    instrument, currency = position.instrument, account.profile.currency
    if account.group.is_swap_free:
        return _Swap(position, on, days, Decimal(1), _NOTHING)
    top = desk.market.last_top(instrument.symbol)
    rate = desk.market.last_rate(swap_currency(terms, instrument), currency)
    if rate is None or (top is None and terms.form is SwapForm.PERCENT):
        return None
    price = position.average_price if top is None else closing_price(top, position.quantity)
    amount = swap_amount(terms, instrument, position.quantity, price, days)
    return _Swap(position, on, days, *booked(amount, rate, currency))


def _book(desk: Desk, account: AccountState, swap: _Swap) -> None:
    """Write a swap and move its money between the account and the house."""
    position, amount, key = swap.position, swap.amount, new_id_text()
    desk.changes.rollovers.append(
        (key, position.id, swap.rollover_on, swap.days, position.quantity, swap.rate, amount)
    )
    desk.rolling.rolled[position.id] = swap.rollover_on
    house = desk.house[account.profile.currency][HouseCode.SWAPS]
    if amount > 0:
        desk.journal.receive(
            account.holder, amount, transaction_id=key, operation="swap", source=house
        )
    elif amount < 0:
        desk.journal.give(account.holder, -amount, transaction_id=key, operation="swap", sink=house)
