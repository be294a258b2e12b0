"""Sessions of the week by the clocks of a place: over the week's end, over summer time."""

from datetime import UTC, datetime, time

import pytest

from tradewright.liquidity.sessions import FOREX_WEEK, TradingSession, is_open

LUNCH_LESS = [
    TradingSession(
        opens_weekday=2, opens_at=opens, closes_weekday=2, closes_at=closes, timezone="Asia/Tokyo"
    )
    for opens, closes in ((time(9), time(11, 30)), (time(12, 30), time(15)))
]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        # In January New York is five hours behind UTC, from the second Sunday of March on four.
        ("2026-01-09T21:59:59", True),
        ("2026-01-09T22:00:00", False),
        ("2026-01-11T21:59:59", False),
        ("2026-01-11T22:00:00", True),
        ("2026-01-13T08:00:00", True),
        ("2026-03-06T21:59:59", True),
        ("2026-03-08T20:59:59", False),
        ("2026-03-08T21:00:00", True),
        ("2026-03-13T21:00:00", False),
    ],
)
def test_foreign_exchange_follows_the_clocks_of_new_york(at: str, expected: bool) -> None:
    assert is_open([FOREX_WEEK], datetime.fromisoformat(at).replace(tzinfo=UTC)) is expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-01-13T00:00:00", True),
        ("2026-01-13T02:30:00", False),
        ("2026-01-13T03:29:59", False),
        ("2026-01-13T03:30:00", True),
        ("2026-01-13T06:00:00", False),
        ("2026-01-14T00:00:00", False),
    ],
)
def test_a_day_may_have_several_sessions(at: str, expected: bool) -> None:
    assert is_open(LUNCH_LESS, datetime.fromisoformat(at).replace(tzinfo=UTC)) is expected


def test_an_instrument_without_sessions_is_always_open() -> None:
    assert is_open([], datetime(2026, 1, 10, tzinfo=UTC))
