"""A running engine's figures for Prometheus; what they mean stands in docs/reference/metrics.md."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from tradewright.core.histogram import Histogram
from tradewright.trading.counts import EngineFigures

_COUNTS = {
    "batches": "Batches that were committed.",
    "commands": "Commands that were booked with them.",
    "retries": "Batches that the server asked to be booked again.",
    "splits": "Batches that were split because one of their commands failed.",
    "reconnects": "Sessions of writers that were lost.",
}


@dataclass(slots=True, eq=False)
class EngineCollector(Collector):
    """Asks an engine how it is doing, and which providers can be asked; nothing before it runs."""

    figures: Callable[[], EngineFigures] | None = None
    providers: Callable[[], Mapping[str, bool]] = dict

    def collect(self) -> Iterator[Metric]:
        """Yield every figure as it is now."""
        if self.figures is None:
            return
        now = self.figures()
        for name, value in asdict(now.counts).items():
            yield _counter(f"tradewright_engine_{name}", _COUNTS[name], value)
        yield _counters("booked", "Rows that batches have booked.", "kind", now.booked)
        yield _counters("refused", "Orders that were refused.", "code", now.refused)
        yield _histogram(now.answer_ms)
        yield _gauge("queued_groups", "Groups of commands that wait for a writer.", now.queued)
        yield _gauge("in_flight", "Requests that wait for a provider.", now.in_flight)
        ages = now.price_ages
        yield _gauges(
            "price_age_seconds", "How long ago the last price was quoted.", "symbol", ages
        )
        tradable = {symbol: float(symbol in now.tradable) for symbol in ages}
        yield _gauges("tradable", "Whether a symbol can be dealt on.", "symbol", tradable)
        ready = {code: float(is_ready) for code, is_ready in self.providers().items()}
        yield _gauges("provider_ready", "Whether a provider is logged on.", "provider", ready)

    def describe(self) -> Iterator[Metric]:
        """Yield nothing, so that registering asks nothing."""
        yield from ()


def _counter(name: str, what: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(name, what, value=value)


def _counters(name: str, what: str, label: str, values: Mapping[str, float]) -> CounterMetricFamily:
    family = CounterMetricFamily(f"tradewright_engine_{name}", what, labels=(label,))
    for key, value in sorted(values.items()):
        family.add_metric((key,), value)
    return family


def _gauge(name: str, what: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"tradewright_engine_{name}", what, value=value)


def _gauges(name: str, what: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"tradewright_engine_{name}", what, labels=(label,))
    for key, value in sorted(values.items()):
        family.add_metric((key,), value)
    return family


def _histogram(waits: Histogram) -> HistogramMetricFamily:
    """Return waits of milliseconds in seconds, the unit that Prometheus wants."""
    bounds = [*(str(bound / 1000) for bound in waits.bounds), "+Inf"]
    return HistogramMetricFamily(
        "tradewright_engine_answer_seconds",
        "How long commands waited from being taken to their answer.",
        buckets=list(zip(bounds, waits.cumulated(), strict=True)),
        sum_value=waits.total / 1000,
    )
