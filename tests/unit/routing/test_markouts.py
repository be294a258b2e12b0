"""Markouts: measured at the middle that stood at each horizon."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.floor import DAY
from tradewright.routing.markouts import HORIZONS_S, MARKOUT_BPS_MAX, Markouts

BUY, SELL = 1, -1


def measure(
    walk: list[tuple[int, Decimal]], price: str, sign: int = BUY
) -> tuple[Decimal, ...] | None:
    """Return the markouts of a fill at the first mid of a walk of (seconds later, mid)."""
    markouts, now = Markouts(), DAY
    for place, (seconds, mid) in enumerate(walk):
        now += timedelta(seconds=seconds)
        markouts.on_mid("EURUSD", mid, now)
        if place == 0:
            markouts.dealt("EURUSD", ("anna", "fill", sign, Decimal(price)), now)
    measured = markouts.take()
    return measured[0].markouts if measured else None


def bps(*numbers: int) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, numbers))


def steps(*mids: str) -> list[tuple[int, Decimal]]:
    """Return a walk with a mid at 0, 1, 10 and 60 seconds, and one later."""
    return list(zip((0, 1, 9, 50, 1), map(Decimal, mids), strict=True))


def test_a_markout_is_what_the_client_has_gained_against_the_middle() -> None:
    walk = steps("1.0000", "1.0001", "1.0002", "1.0003", "9")
    assert measure(walk, "1.0000") == bps(1, 2, 3)
    assert measure(walk, "1.0000", SELL) == bps(-1, -2, -3)


def test_the_middle_of_an_instant_is_the_one_that_stood_then() -> None:
    """A mid that came later than a horizon does not count for it."""
    walk = [(0, Decimal("1.0000")), (30, Decimal("1.0010")), (31, Decimal("1.0020"))]
    assert measure(walk, "1.0000") == bps(0, 0, 10)


def test_nothing_is_measured_before_the_last_horizon_has_passed() -> None:
    assert measure([(0, Decimal(1)), (60, Decimal(2))], "1") is None
    assert measure([(0, Decimal(1)), (61, Decimal(1))], "1") is not None


def test_a_gap_is_cut_off() -> None:
    assert measure(steps("1", "2", "2", "2", "2"), "1") == (MARKOUT_BPS_MAX,) * 3
    assert measure(steps("1", "2", "2", "2", "2"), "1", SELL) == (-MARKOUT_BPS_MAX,) * 3


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(9_000, 11_000)), min_size=2, max_size=30))
def test_every_horizon_is_measured_at_the_last_mid_up_to_it(walk: list[tuple[int, int]]) -> None:
    mids = [(seconds, Decimal(mid)) for seconds, mid in walk]
    found = measure(mids, str(mids[0][1]))
    times, now = [], 0
    for place, (seconds, mid) in enumerate(mids):
        now += seconds if place else 0
        times.append((now, mid))
    if now <= HORIZONS_S[-1]:
        assert found is None
        return
    assert found is not None
    price = mids[0][1]
    for horizon, markout in zip(HORIZONS_S, found, strict=True):
        standing = [mid for at, mid in times if at <= horizon][-1]
        exact = (standing - price) / price * 10_000
        assert abs(markout - min(max(exact, -MARKOUT_BPS_MAX), MARKOUT_BPS_MAX)) <= Decimal(
            "0.0001"
        )
