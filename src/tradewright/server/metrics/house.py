"""The house's gauges for Prometheus, read when they are asked for and kept for a moment."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from threading import Lock

import psycopg
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from tradewright.core.clock import monotonic_seconds
from tradewright.core.errors import TradewrightError
from tradewright.operations.gauges import Reading, read_gauges
from tradewright.postgres.connect import Session

KEPT_SECONDS = 2.0
"""However often it is asked, the database is read no more often than this."""


@dataclass(slots=True, eq=False)
class HouseCollector(Collector):
    """Reads the gauges; while the database cannot be read, says that and nothing else."""

    open_session: Callable[[], AbstractContextManager[Session]]
    _kept: Sequence[GaugeMetricFamily] = ()
    _read_at: float = float("-inf")
    _lock: Lock = field(default_factory=Lock)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield every gauge, as it was at most `KEPT_SECONDS` ago."""
        with self._lock:
            if monotonic_seconds() - self._read_at > KEPT_SECONDS:
                self._kept = self._read()
                self._read_at = monotonic_seconds()
            yield from self._kept

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Yield nothing, so that registering reads nothing."""
        yield from ()

    def _read(self) -> list[GaugeMetricFamily]:
        begun = monotonic_seconds()
        readings: list[Reading] = []
        is_up = 1.0
        try:
            with self.open_session() as session:
                readings = read_gauges(session)
        except (psycopg.Error, TradewrightError):
            is_up = 0.0
        return [
            _single("tradewright_up", "Whether the house's database could be read.", is_up),
            _single(
                "tradewright_read_seconds",
                "How long it took to read the figures.",
                monotonic_seconds() - begun,
            ),
            *(_family(reading) for reading in readings),
        ]


def _single(name: str, what: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, what, value=value)


def _family(reading: Reading) -> GaugeMetricFamily:
    gauge = reading.gauge
    family = GaugeMetricFamily(gauge.name, gauge.what, labels=gauge.labels)
    for labels, value in reading.rows:
        family.add_metric(labels, value)
    return family
