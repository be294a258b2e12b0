"""The trading day ends at 17:00 in New York from Monday to Friday, summer and winter."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewright.core.trading_day import trading_day_end

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("instant", "end"),
    [
        ("2026-01-13T15:00:00", "2026-01-13T22:00:00"),  # a Tuesday in winter
        ("2026-01-13T21:59:59.999999", "2026-01-13T22:00:00"),
        ("2026-01-13T22:00:00", "2026-01-14T22:00:00"),
        ("2026-07-14T20:59:59", "2026-07-14T21:00:00"),  # in summer
        ("2026-03-06T23:00:00", "2026-03-09T21:00:00"),  # Friday evening before the clocks go on
        ("2026-03-07T12:00:00", "2026-03-09T21:00:00"),  # Saturday
        ("2026-10-30T21:30:00", "2026-11-02T22:00:00"),  # Friday evening before they go back
        ("2026-11-01T23:30:00", "2026-11-02T22:00:00"),  # Sunday evening, when the week opens
    ],
)
def test_the_day_ends_at_five_in_new_york(instant: str, end: str) -> None:
    asked = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert trading_day_end(asked) == datetime.fromisoformat(end).replace(tzinfo=UTC)


@given(
    st.datetimes(
        datetime.fromisoformat("1990-01-01"),
        datetime.fromisoformat("2060-01-01"),
        timezones=st.just(UTC),
    )
)
def test_every_instant_belongs_to_one_day_that_ends_after_it(instant: datetime) -> None:
    end = trading_day_end(instant)
    local = end.astimezone(NEW_YORK)
    assert instant < end <= instant + timedelta(days=3, hours=1)
    assert (local.hour, local.minute, local.second, local.microsecond) == (17, 0, 0, 0)
    assert local.weekday() < 5
    assert trading_day_end(end - timedelta(microseconds=1)) == end
