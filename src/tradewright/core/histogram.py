"""Counts of values below bounds: what is kept of many durations when each cannot be kept."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Histogram:
    """How many values were at most each of the rising `bounds`, or more than all; and their sum.

    One thread notes; who reads meanwhile may see a value counted that is not summed yet.
    """

    bounds: Sequence[float]
    counts: list[int] = field(init=False)
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def note(self, value: float, times: int = 1) -> None:
        """Count a value, as often as it occurred."""
        self.counts[bisect_left(self.bounds, value)] += times
        self.total += value * times

    def cumulated(self) -> list[int]:
        """Return how many values were at most each bound, and at last how many there were."""
        reached = 0
        return [reached := reached + count for count in self.counts]


def summed(histograms: Sequence[Histogram], bounds: Sequence[float]) -> Histogram:
    """Return one histogram of what several with these bounds have noted."""
    both = Histogram(bounds)
    for one in histograms:
        both.counts = [a + b for a, b in zip(both.counts, one.counts, strict=True)]
        both.total += one.total
    return both
