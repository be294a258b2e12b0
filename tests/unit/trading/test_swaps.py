"""Swap: days from value date to value date, the three forms, and 17:00 in New York."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.floor import pair
from tradewright.core.trading_day import end_of_day, last_ended_day
from tradewright.trading.swaps import (
    SwapBook,
    SwapForm,
    SwapTerms,
    days_over,
    is_in_grace,
    swap_amount,
    swap_free_fee,
    value_date,
)

MONDAY = date(2026, 1, 12)
NO_HOLIDAYS: frozenset[date] = frozenset()
EURUSD = pair("EURUSD")


def terms(**fields: Any) -> SwapTerms:
    usual: dict[str, Any] = {
        "symbol": "EURUSD",
        "effective_on": date(2026, 1, 1),
        "form": SwapForm.POINTS,
        "long_rate": Decimal("-7.5"),
        "short_rate": Decimal("2.5"),
        "currency": "USD",
    }
    return SwapTerms(**usual | fields)


def week(asked: SwapTerms, holidays: frozenset[date] = NO_HOLIDAYS) -> list[int]:
    return [days_over(MONDAY + timedelta(days=day), asked, holidays) for day in range(7)]


@pytest.mark.parametrize(
    ("fields", "days"),
    [
        ({"settlement_days": 2}, [1, 1, 3, 1, 1, 0, 0]),  # spot: triple on Wednesday
        ({"settlement_days": 1}, [1, 1, 1, 3, 1, 0, 0]),  # USDCAD, USDTRY: on Thursday
        ({"settlement_days": 0}, [1, 1, 1, 1, 3, 0, 0]),  # index CFDs: on Friday
        ({"is_daily": True}, [1, 1, 1, 1, 1, 1, 1]),  # coins: every day one
    ],
)
def test_the_weekend_is_paid_for_once_a_week(fields: dict[str, Any], days: list[int]) -> None:
    assert week(terms(**fields)) == days
    assert sum(days) == 7


def test_a_holiday_moves_the_days_that_are_paid_for() -> None:
    thursday = frozenset({MONDAY + timedelta(days=3)})
    # Deals of Monday to Friday settle on the 14th, 16th, 19th, 19th and 20th, the next on the 21st.
    assert week(terms(), thursday) == [2, 3, 0, 1, 1, 0, 0]
    assert sum(week(terms(), thursday)) == 7
    assert value_date(MONDAY + timedelta(days=1), terms(), thursday) == date(2026, 1, 16)


@given(
    st.dates(date(2020, 1, 1), date(2035, 1, 1)),
    st.integers(1, 60),
    st.integers(0, 2),
    st.frozensets(st.integers(-5, 70), max_size=6),
)
def test_days_add_up_to_the_time_between_value_dates(
    first: date, count: int, settlement_days: int, closed: frozenset[int]
) -> None:
    while first.weekday() >= 5:
        first += timedelta(days=1)
    asked = terms(settlement_days=settlement_days)
    holidays = frozenset(first + timedelta(days=day) for day in closed)
    last = first + timedelta(days=count)
    while last.weekday() >= 5:
        last += timedelta(days=1)
    span = (last - first).days
    paid = sum(days_over(first + timedelta(days=day), asked, holidays) for day in range(span))
    assert paid == (value_date(last, asked, holidays) - value_date(first, asked, holidays)).days


@pytest.mark.parametrize(
    ("fields", "quantity", "days", "amount"),
    [
        # Points: 100,000 * -7.5 * 0.00001 = -7.50 USD a day.
        ({}, "100000", 1, "-7.50"),
        ({}, "100000", 3, "-22.50"),
        ({}, "-100000", 1, "2.50"),
        # Percent: 100,000 * 1.10 * -3.6 / 100 / 360 = -11.00 USD a day.
        ({"form": SwapForm.PERCENT, "long_rate": Decimal("-3.6")}, "100000", 1, "-11.00"),
        # Money: 2.5 lots * -4 = -10.00 a day.
        ({"form": SwapForm.MONEY, "long_rate": Decimal(-4)}, "250000", 1, "-10.00"),
    ],
)
def test_each_form_on_eurusd_at_1_10(
    fields: dict[str, Any], quantity: str, days: int, amount: str
) -> None:
    price = Decimal("1.10")
    assert swap_amount(terms(**fields), EURUSD, Decimal(quantity), price, days) == Decimal(amount)


@pytest.mark.parametrize(
    ("quantity", "days", "amount"),
    [("250000", 1, "-3.125"), ("-250000", 3, "-9.375"), ("0", 3, "0")],
)
def test_a_fee_is_for_lots_and_days_and_never_for_a_side(
    quantity: str, days: int, amount: str
) -> None:
    """2.5 lots at 1.25 a lot and day, whatever the rates are."""
    asked = terms(swap_free_fee=Decimal("1.25"))
    assert swap_free_fee(asked, EURUSD, Decimal(quantity), days) == Decimal(amount)


@given(st.integers(0, 10), st.integers(-5, 20))
def test_the_first_nights_are_free_as_many_as_the_terms_have(grace: int, held: int) -> None:
    asked, on = terms(grace_nights=grace), MONDAY + timedelta(days=held)
    free = [day for day in range(20) if is_in_grace(asked, MONDAY, MONDAY + timedelta(days=day))]
    assert free == list(range(grace))
    assert is_in_grace(asked, MONDAY, on) == (max(0, held) < grace)


def test_the_terms_of_a_day_are_the_last_that_had_begun() -> None:
    old, new = terms(), terms(effective_on=date(2026, 1, 14), long_rate=Decimal(-9))
    book = SwapBook({"EURUSD": [old, new]}, {})
    assert book.terms_on("EURUSD", date(2025, 12, 31)) is None
    assert book.terms_on("EURUSD", date(2026, 1, 13)) is old
    assert book.terms_on("EURUSD", date(2026, 1, 14)) is new
    assert book.terms_on("GBPUSD", date(2026, 1, 14)) is None


@pytest.mark.parametrize(
    ("day", "hour"),
    [
        (date(2026, 1, 13), 22),  # winter
        (date(2026, 3, 6), 22),  # the last Friday of New York's winter
        (date(2026, 3, 9), 21),  # the first Monday of its summer
        (date(2026, 7, 1), 21),
        (date(2026, 10, 30), 21),
        (date(2026, 11, 2), 22),
    ],
)
def test_the_day_ends_at_17_00_in_new_york_in_summer_and_winter(day: date, hour: int) -> None:
    end = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    assert end_of_day(day) == end
    assert last_ended_day(end) == day
    assert last_ended_day(end - timedelta(microseconds=1)) == day - timedelta(days=1)
