"""The range of the last minute's mids: what it holds, what it forgets."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.floor import DAY
from tradewright.liquidity.recent_mids import WINDOW, RecentMids


def at(seconds: int) -> timedelta:
    return timedelta(seconds=seconds)


def test_nothing_noted_has_no_range() -> None:
    assert RecentMids().range_bps("EURUSD", DAY) is None


def test_one_mid_has_a_range_of_nothing() -> None:
    recent = RecentMids()
    recent.note("EURUSD", Decimal("1.1"), DAY)
    assert recent.range_bps("EURUSD", DAY + WINDOW) == 0
    assert recent.range_bps("EURUSD", DAY + WINDOW + at(1)) is None


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(90, 110)), max_size=40), st.integers(0, 80)
)
def test_the_range_is_that_of_every_mid_of_the_last_minute(
    walk: list[tuple[int, int]], later: int
) -> None:
    recent, now, noted = RecentMids(), DAY, []
    for seconds, mid in walk:
        now += at(seconds)
        noted.append((now, Decimal(mid)))
        recent.note("EURUSD", Decimal(mid), now)
    now += at(later)
    inside = [mid for noted_at, mid in noted if noted_at >= now - WINDOW]
    if inside:
        expected = (max(inside) - min(inside)) / min(inside) * 10_000
        assert recent.range_bps("EURUSD", now) == expected
    else:
        assert recent.range_bps("EURUSD", now) is None
