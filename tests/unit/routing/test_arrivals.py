"""Orders that come when providers reject: within a second, in their symbol, once it is known."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.floor import DAY
from tradewright.routing.arrivals import JUDGED_AFTER, WINDOW, Arrivals, Arrived

LATER = timedelta(minutes=1)


def at(seconds: float) -> datetime:
    return DAY + timedelta(seconds=seconds)


def judged(orders: list[float], rejections: list[float], symbol: str = "EURUSD") -> list[bool]:
    """Return whether orders in EURUSD came at reject-prone times; rejections are in `symbol`."""
    arrivals = Arrivals()
    for seconds in orders:
        arrivals.arrived("EURUSD", "anna", "order", at(seconds))
    for seconds in rejections:
        arrivals.rejected(symbol, at(seconds))
    arrivals.on_time("EURUSD", at(max(orders)) + LATER)
    return [one.is_reject_prone for one in arrivals.take()]


def test_a_rejection_counts_for_the_orders_within_a_second_before_and_after_it() -> None:
    assert judged([8.9, 9, 10, 11, 11.1], [10]) == [False, True, True, True, False]


def test_a_rejection_in_another_symbol_does_not_count() -> None:
    assert judged([10], [10], "USDJPY") == [False]


def test_an_order_is_judged_when_its_providers_must_have_answered_and_not_before() -> None:
    arrivals = Arrivals()
    arrivals.arrived("EURUSD", "anna", "order", at(0))
    arrivals.on_time("EURUSD", at(0) + JUDGED_AFTER)
    assert arrivals.take() == ()
    arrivals.rejected("EURUSD", at(0) + WINDOW)
    arrivals.on_time("EURUSD", at(0.001) + JUDGED_AFTER)
    assert arrivals.take() == (Arrived("anna", "order", at(0), at(0) + WINDOW),)


def test_what_was_taken_is_not_taken_again() -> None:
    arrivals = Arrivals()
    arrivals.arrived("EURUSD", "anna", "order", at(0))
    arrivals.on_time("EURUSD", at(0) + LATER)
    assert arrivals.judged_count == 1
    assert len(arrivals.take()) == 1
    assert (arrivals.judged_count, arrivals.take()) == (0, ())


tenths = st.integers(0, 100)


@given(
    st.lists(tenths, min_size=1, max_size=12),
    st.lists(st.tuples(tenths, st.integers(0, 20)), max_size=12),
)
def test_each_order_is_judged_by_every_rejection_however_late_it_is_told(
    orders: list[int], rejections: list[tuple[int, int]]
) -> None:
    """The market moves on by tenths of a second; a rejection is told up to two seconds late."""
    arrivals = Arrivals()
    for now in range(200):
        for order in orders:
            if order == now:
                arrivals.arrived("EURUSD", str(order), "order", at(now / 10))
        for rejected, late in rejections:
            if rejected + late == now:
                arrivals.rejected("EURUSD", at(rejected / 10))
        arrivals.on_time("EURUSD", at(now / 10))
    assert {one.user_id: one.is_reject_prone for one in arrivals.take()} == {
        str(order): any(abs(rejected - order) <= 10 for rejected, _ in rejections)
        for order in orders
    }
