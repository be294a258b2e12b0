"""Swap: what holding a position over the rollover, 17:00 in New York, costs or yields.

A position that is open over the rollover of a day is carried from one value date to the next, and
pays or earns interest for the days between them. A spot deal settles after some business days of
both currencies, so the weekend is paid for once a week (on Wednesday for two days, on Thursday
for one, on Friday for none), and holidays move it. An account that is swap-free pays a fee instead
for the same days, if its instrument has one (decision 049). Pure: `rollovers` books, `swap_store`
reads.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar, assert_never

from msgspec import Struct

from tradewright.liquidity.instrument import Instrument

_ONE_DAY = timedelta(days=1)
_SATURDAY = 5
_YEAR_DAYS = 360
_HUNDRED = 100
_Held = TypeVar("_Held")


class SwapForm(StrEnum):
    """What the rates are: points of the price, percent a year, or money for one lot and day."""

    POINTS = "points"
    PERCENT = "percent"
    MONEY = "money"


class SwapTerms(Struct, frozen=True, kw_only=True):
    """What holding an instrument costs from a day on; a rate below zero is paid by the client.

    `currency` is that of the money for a lot; points and percent are in quote currency.
    `settlement_days` are the business days until a deal settles; an instrument that is traded
    every day of the week, `is_daily`, is rolled over every day for one day. Swap-free accounts pay
    `swap_free_fee` for one lot and day, in the same currency, after so many nights of a position.
    """

    symbol: str
    effective_on: date
    form: SwapForm
    long_rate: Decimal
    short_rate: Decimal
    currency: str
    settlement_days: int = 2
    is_daily: bool = False
    swap_free_fee: Decimal = Decimal(0)
    grace_nights: int = 0


class SwapBook(Struct, frozen=True):
    """Terms by symbol in order of their days, and the days on which a currency does not settle."""

    terms: Mapping[str, Sequence[SwapTerms]]
    holidays: Mapping[str, frozenset[date]]

    def terms_on(self, symbol: str, on: date) -> SwapTerms | None:
        """Return the terms that hold for a symbol on a day; None if it costs nothing."""
        held = [terms for terms in self.terms.get(symbol, ()) if terms.effective_on <= on]
        return held[-1] if held else None

    def holidays_of(self, instrument: Instrument) -> frozenset[date]:
        """Return the days on which one of an instrument's currencies does not settle."""
        nobody: frozenset[date] = frozenset()
        base = self.holidays.get(instrument.base_currency, nobody)
        return base | self.holidays.get(instrument.quote_currency, nobody)


class PastGroups(Struct, frozen=True):
    """The groups that accounts were in, and which groups were swap-free, before it was changed.

    By account and by group: what held up to and with a day, in order of those days.
    """

    groups: Mapping[str, Sequence[tuple[date, str]]]
    freedoms: Mapping[str, Sequence[tuple[date, bool]]]

    def group_on(self, account_id: str, on: date) -> str | None:
        """Return the group of an account at the end of a day; None if it is that of now."""
        return _held_on(self.groups.get(account_id, ()), on)

    def freedom_on(self, code: str, on: date) -> bool | None:
        """Return whether a group was swap-free at the end of a day; None if it is as now."""
        return _held_on(self.freedoms.get(code, ()), on)


class RollOver(Struct, frozen=True, kw_only=True):
    """Proposed by the watcher: carry an account's positions over every rollover up to a day."""

    account_id: str
    through: date


class RolloverReport(Struct, frozen=True):
    """How many position days were booked, and what they brought in the account's currency.

    `is_complete` is false when more is due than one command books, or waits for a price or rate.
    """

    account_id: str
    booked_count: int
    amount: Decimal
    is_complete: bool = True


def value_date(traded_on: date, terms: SwapTerms, holidays: frozenset[date]) -> date:
    """Return the day on which a deal of a trading day settles."""
    day, left = traded_on, terms.settlement_days
    while left or not _settles(day, holidays):
        day += _ONE_DAY
        if left and _settles(day, holidays):
            left -= 1
    return day


def days_over(on: date, terms: SwapTerms, holidays: frozenset[date]) -> int:
    """Return for how many days the rollover of a day pays: from one value date to the next.

    Over any run of days they add up to the time between the value dates of its ends.
    """
    if terms.is_daily:
        return 1
    if on.weekday() >= _SATURDAY:
        return 0
    after = on + _ONE_DAY
    while after.weekday() >= _SATURDAY:
        after += _ONE_DAY
    return (value_date(after, terms, holidays) - value_date(on, terms, holidays)).days


def swap_amount(
    terms: SwapTerms, instrument: Instrument, quantity: Decimal, price: Decimal, days: int
) -> Decimal:
    """Return the swap of a position for some days, before conversion and rounding.

    In quote currency for points and percent, in the terms' currency for money; below zero it is
    paid. A point is the instrument's tick; a year has 360 days.
    """
    rate = terms.long_rate if quantity > 0 else terms.short_rate
    size = abs(quantity)
    match terms.form:
        case SwapForm.POINTS:
            return size * rate * instrument.price_tick * days
        case SwapForm.PERCENT:
            return size * price * rate / _HUNDRED / _YEAR_DAYS * days
        case SwapForm.MONEY:
            return size / instrument.contract_size * rate * days
        case _:
            assert_never(terms.form)


def swap_free_fee(
    terms: SwapTerms, instrument: Instrument, quantity: Decimal, days: int
) -> Decimal:
    """Return what a swap-free account pays for some days, before conversion and rounding.

    In the terms' currency, never above zero.
    """
    return -abs(quantity) / instrument.contract_size * terms.swap_free_fee * days


def is_in_grace(terms: SwapTerms, first: date, on: date) -> bool:
    """Return whether the rollover of a day is of one of the nights that cost no fee.

    The first night of a position is that of the first rollover that it was open over.
    """
    return max(0, (on - first).days) < terms.grace_nights


def swap_currency(terms: SwapTerms, instrument: Instrument) -> str:
    """Return the currency of `swap_amount`."""
    return terms.currency if terms.form is SwapForm.MONEY else instrument.quote_currency


def _held_on(steps: Sequence[tuple[date, _Held]], on: date) -> _Held | None:
    return next((held for through, held in steps if on <= through), None)


def _settles(day: date, holidays: frozenset[date]) -> bool:
    return day.weekday() < _SATURDAY and day not in holidays
