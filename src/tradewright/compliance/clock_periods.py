"""From samples of a clock to the times for which something is known of it.

Between two samples a clock was no better than the worse of them says. Where none was taken for
longer than samples may be apart, nothing is known: the time is missing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

MISSING = "missing"
VERDICTS = ("within", "unproven", "unknown", "unsynchronised", "beyond")
"""What a sample may say, from the best to the worst."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a sample says: when, the verdict, and the most that the clock can have diverged."""

    at: datetime
    verdict: str
    divergence_us_max: Decimal | None


@dataclass(frozen=True, slots=True)
class Period:
    """A time for which the same is known; `sample_count` counts the samples that begin in it."""

    begin: datetime
    end: datetime
    verdict: str
    sample_count: int
    divergence_us_max: Decimal | None


def periods(
    samples: Iterable[Sample], *, begin: datetime, end: datetime, apart_max: timedelta
) -> Iterator[Period]:
    """Divide a range into periods without a gap; samples come in the order of time.

    Samples before and after the range speak for the times at its ends.
    """
    known: Period | None = None
    for piece in _pieces(samples, begin, end, apart_max):
        if known is not None and known.verdict == piece.verdict:
            known = _joined(known, piece)
            continue
        if known is not None:
            yield known
        known = piece
    if known is not None:
        yield known


def _pieces(
    samples: Iterable[Sample], begin: datetime, end: datetime, apart_max: timedelta
) -> Iterator[Period]:
    """Return what is known between each sample and the next, cut to the range."""
    reached = begin
    for one, other in pairwise(samples):
        first, last = max(one.at, begin), min(other.at, end)
        if first >= last:
            continue
        if reached < first:
            yield _missing(reached, first)
        is_near = other.at - one.at <= apart_max
        yield _between(one, other, first, last) if is_near else _missing(first, last)
        reached = last
    if reached < end:
        yield _missing(reached, end)


def _between(one: Sample, other: Sample, begin: datetime, end: datetime) -> Period:
    worse = max(one, other, key=lambda sample: VERDICTS.index(sample.verdict))
    known = [s.divergence_us_max for s in (one, other) if s.divergence_us_max is not None]
    return Period(begin, end, worse.verdict, int(one.at >= begin), max(known, default=None))


def _missing(begin: datetime, end: datetime) -> Period:
    return Period(begin, end, MISSING, 0, None)


def _joined(one: Period, other: Period) -> Period:
    known = [p.divergence_us_max for p in (one, other) if p.divergence_us_max is not None]
    return replace(
        one,
        end=other.end,
        sample_count=one.sample_count + other.sample_count,
        divergence_us_max=max(known, default=None),
    )
