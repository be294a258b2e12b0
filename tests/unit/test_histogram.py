"""A histogram counts what it was told, bound by bound."""

import math

from hypothesis import given
from hypothesis import strategies as st

from tradewright.core.histogram import Histogram, summed

BOUNDS = (0.001, 0.5, 2.0)
VALUES = st.lists(st.sampled_from([0.0, 0.001, 0.0011, 0.5, 0.7, 2.0, 2.1, 60.0]))


@given(VALUES)
def test_each_bound_tells_how_many_values_were_at_most_so_large(values: list[float]) -> None:
    noted = Histogram(BOUNDS)
    for value in values:
        noted.note(value)
    expected = [sum(value <= bound for value in values) for bound in (*BOUNDS, math.inf)]
    assert noted.cumulated() == expected
    assert math.isclose(noted.total, sum(values), abs_tol=1e-9)


@given(VALUES, VALUES, st.integers(1, 9))
def test_several_histograms_sum_up_to_one_of_all_their_values(
    mine: list[float], theirs: list[float], times: int
) -> None:
    first, second, both = Histogram(BOUNDS), Histogram(BOUNDS), Histogram(BOUNDS)
    for value in mine:
        first.note(value, times)
        both.note(value, times)
    for value in theirs:
        second.note(value)
        both.note(value)
    together = summed([first, second], BOUNDS)
    assert together.counts == both.counts
    assert math.isclose(together.total, both.total, abs_tol=1e-9)
