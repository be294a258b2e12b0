"""A figure of the house that is worth watching, and what it was when it was read."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """A figure that may rise and fall, named as Prometheus names them: seconds, bytes, counts.

    `query` names the query that reads it: a row holds one value for each label, then the figure.
    """

    name: str
    what: str
    query: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a gauge showed: each row is its labels' values and the figure; no row, nothing there."""

    gauge: Gauge
    rows: Sequence[tuple[tuple[str, ...], float]]
