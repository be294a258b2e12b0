"""How a batch carries positions over the rollover: each position and day once, money with its row.

What is owed follows from what was open when the day's end was written down (`batch`), and the
watcher proposes it with the first quote after that. Whatever an account is asked to do, what it
owes is booked first, so that no position is closed or made smaller without its swap. Each is
valued at the last price and rate known; one without any since the engine started waits, the others
do not; the watcher proposes again. Swap-free accounts pay the fee of the instrument's terms, which
is another operation of the ledger, with another of the house's holders. Where a provider tells only
then of what it has dealt before, the difference that it makes is booked with it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from msgspec import Struct

from tradewright.core.errors import ErrorCode, StateError
from tradewright.core.ids import new_id_text
from tradewright.core.trading_day import end_of_day, last_ended_day
from tradewright.ledger.model import HouseCode
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.model import ProviderAnswer
from tradewright.risk.margin import closing_price
from tradewright.trading.house_commands import HOUSE
from tradewright.trading.model import BookAnswers, Command
from tradewright.trading.positions import booked, new_position, swap_without_value
from tradewright.trading.reference import Reference
from tradewright.trading.state import AccountState, Desk, OrderState, PositionState, Row
from tradewright.trading.swap_store import DAYS_MAX, Rolling
from tradewright.trading.swaps import (
    RollOver,
    RolloverReport,
    SwapForm,
    SwapTerms,
    days_over,
    is_in_grace,
    swap_amount,
    swap_currency,
    swap_free_fee,
)

SWAP, FEE = "swap", "swap_free_fee"
RECEIVERS: Mapping[str, HouseCode] = MappingProxyType({SWAP: HouseCode.SWAPS, FEE: HouseCode.FEES})
"""Operation of the ledger → the house's holder on its other side."""

_ONE_DAY = timedelta(days=1)
_NOTHING = Decimal(0)


_Due = tuple[date, int, SwapTerms]
"""A rollover that is due: its day, for how many days it pays, and the terms of that day."""


class _Change(Struct, frozen=True):
    """What a rollover is owed for: what was open of a position, or what a late deal adds to it.

    `first` is the first rollover of the position.
    """

    position: PositionState
    first: date
    before: Decimal
    quantity: Decimal
    trade_id: str | None = None


class _Swap(Struct, frozen=True):
    """The swap of a change for one rollover, or the fee instead, in the account's currency."""

    change: _Change
    rollover_on: date
    days: int
    rate: Decimal
    amount: Decimal
    operation: str = SWAP


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
    first = desk.rolling.first.get(position.id, date.max)
    swaps, whole = [], _Change(position, first, _NOTHING, position.quantity)
    for one in due:
        swap = _swap(desk, account, whole, one)
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


def owes_swap(rolling: Rolling, position: PositionState, through: date) -> bool:
    """Return whether a position was open over a rollover that is not booked yet."""
    return any(True for _ in _due(rolling, position, through))


def _due(rolling: Rolling, position: PositionState, through: date) -> Iterator[_Due]:
    """Give the rollovers that a position has been open over and that are not booked."""
    first = rolling.first.get(position.id)
    if first is not None:
        day = max(first, rolling.rolled.get(position.id, date.min) + _ONE_DAY)
        yield from _paying(rolling, position.instrument, day, through)


def _paying(rolling: Rolling, instrument: Instrument, day: date, through: date) -> Iterator[_Due]:
    """Give the rollovers of an instrument from a day on that pay for any day."""
    holidays = rolling.book.holidays_of(instrument)
    while day <= through:
        terms = rolling.book.terms_on(instrument.symbol, day)
        days = 0 if terms is None else days_over(day, terms, holidays)
        if terms is not None and days:
            yield day, days, terms
        day += _ONE_DAY


def _swap(desk: Desk, account: AccountState, change: _Change, due: _Due) -> _Swap | None:
    """Return what a change pays or earns for one rollover; None without a price or rate."""
    on, days, terms = due
    instrument, currency = change.position.instrument, account.profile.currency
    if _is_swap_free(desk, account, on):
        return _fee(desk, account, change, due)
    rate = desk.market.last_rate(swap_currency(terms, instrument), currency)
    before = _worth(desk, change.position, change.before, due)
    after = _worth(desk, change.position, change.before + change.quantity, due)
    if rate is None or before is None or after is None:
        return None
    return _Swap(change, on, days, *booked(after - before, rate, currency))


def _fee(desk: Desk, account: AccountState, change: _Change, due: _Due) -> _Swap | None:
    """Return what a change of a swap-free account pays for one rollover; None without a rate."""
    on, days, terms = due
    instrument, currency = change.position.instrument, account.profile.currency
    if not terms.swap_free_fee or is_in_grace(terms, change.first, on):
        return _Swap(change, on, days, Decimal(1), _NOTHING, FEE)
    rate = desk.market.last_rate(terms.currency, currency)
    if rate is None:
        return None
    before = swap_free_fee(terms, instrument, change.before, days)
    after = swap_free_fee(terms, instrument, change.before + change.quantity, days)
    return _Swap(change, on, days, *booked(after - before, rate, currency), FEE)


def _is_swap_free(desk: Desk, account: AccountState, on: date) -> bool:
    """Return whether an account owed no swap at the end of a day, in the group it was in then."""
    past = desk.rolling.past
    code = past.group_on(account.id, on)
    group = account.group if code is None else desk.reference.groups[code]
    was_free = past.freedom_on(group.code, on)
    return group.is_swap_free if was_free is None else was_free


def _worth(desk: Desk, position: PositionState, quantity: Decimal, due: _Due) -> Decimal | None:
    """Return the swap of a quantity before conversion; None where it needs a price."""
    _, days, terms = due
    top = desk.market.last_top(position.instrument.symbol)
    if top is None and terms.form is SwapForm.PERCENT:
        return None
    price = position.average_price if top is None else closing_price(top, quantity)
    return swap_amount(terms, position.instrument, quantity, price, days)


def late_deals(reference: Reference, commands: Sequence[Command]) -> dict[str, date]:
    """Return of which accounts providers tell that they have dealt before the last day's end.

    With the first day whose end it was before. The house's hedges pay no swap.
    """
    late: dict[str, date] = {}
    for command in commands:
        if isinstance(command, BookAnswers) and command.account_id != HOUSE:
            for dealt in _late(reference, command):
                day = last_ended_day(dealt) + _ONE_DAY
                late[command.account_id] = min(day, late.get(command.account_id, day))
    return late


def require_late_swap(
    desk: Desk, account: AccountState, order: OrderState, command: BookAnswers
) -> None:
    """Refuse to book a late deal whose swap could not be valued; ask before anything is changed.

    What it will be booked into is not known yet, so no night counts as free.

    Raises:
        StateError: ORDER_RATE_MISSING.

    """
    for dealt in _late(desk.reference, command):
        position = new_position(account, order, Decimal(1))
        change = _Change(position, date.min, _NOTHING, Decimal(order.side.sign))
        for due in _since(desk, order.instrument, dealt):
            if _swap(desk, account, change, due) is None:
                raise swap_without_value(order.instrument.symbol)


def roll_over_late(
    desk: Desk, account: AccountState, answer: ProviderAnswer, trades: Sequence[Row]
) -> None:
    """Book what trades change of the rollovers that they were dealt before and booked after."""
    if not _is_late(desk.reference, answer):
        return
    for trade in trades:
        position = desk.changes.positions[str(trade[0])]
        if trade[4] == 1:
            desk.rolling.first[position.id] = last_ended_day(answer.decided_at) + _ONE_DAY
        first = desk.rolling.first.get(position.id, date.max)
        for due in _since(desk, position.instrument, answer.decided_at):
            before = desk.rolling.held.get((position.id, due[0]), _NOTHING)
            change = _Change(position, first, before, Decimal(str(trade[6])), str(trade[1]))
            swap = _swap(desk, account, change, due)
            if swap is None:
                raise AssertionError("was asked before the deal was booked")
            _book(desk, account, swap)


def _late(reference: Reference, command: BookAnswers) -> Iterator[datetime]:
    """Give when a provider has dealt that tells of it after the end of a day."""
    for _, answer in command.answers:
        if answer.price is not None and _is_late(reference, answer):
            yield answer.decided_at


def _is_late(reference: Reference, answer: ProviderAnswer) -> bool:
    """Return whether a provider has answered before the end of the last day that has ended."""
    day = reference.ended_on
    return day > date.min and answer.decided_at < end_of_day(day)


def _since(desk: Desk, instrument: Instrument, dealt: datetime) -> Iterator[_Due]:
    first = last_ended_day(dealt) + _ONE_DAY
    return _paying(desk.rolling, instrument, first, desk.reference.ended_on)


def _book(desk: Desk, account: AccountState, swap: _Swap) -> None:
    """Write a swap and move its money between the account and the house."""
    change, amount, key = swap.change, swap.amount, new_id_text()
    place = (change.position.id, swap.rollover_on)
    figures = (change.quantity, swap.rate, amount, swap.operation, change.trade_id)
    desk.changes.rollovers.append((key, *place, swap.days, *figures))
    desk.rolling.rolled[place[0]] = swap.rollover_on
    desk.rolling.held[place] = change.before + change.quantity
    house = desk.house[account.profile.currency][RECEIVERS[swap.operation]]
    named = {"transaction_id": key, "operation": swap.operation}
    if amount > 0:
        desk.journal.receive(account.holder, amount, source=house, **named)
    elif amount < 0:
        desk.journal.give(account.holder, -amount, sink=house, **named)
