"""Sides of a benchmark that take turns, round after round, and what is told of them.

Each turn begins just after a checkpoint. A ratio is that of one round, of one side's rate to
TPC-B's in the same round; what is told is the median over the rounds.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from tradewright.audit import analyze_record, check_laws, require_laws
from tradewright.bench.cpu import server_cpu_seconds
from tradewright.bench.pgbench import Measured, checkpoint, percentile
from tradewright.postgres.connect import NO_LIMITS, connect
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.wiring import House

BENCH_SETTINGS: Mapping[str, str] = MappingProxyType({"shared_buffers": "2GB"})
"""The server that is measured keeps its tables in memory, ours and pgbench's."""

TPC_B = "tpc_b"
"""The side that all others are held against; it comes first in each round."""


@dataclass(frozen=True, slots=True)
class SideFigures:
    """Medians of one side over the rounds; `ratio` and `cost_ratio` are to TPC-B.

    `server_us` is the server's processor time for one operation. A latency is that of one call, or
    of one batch where batches are what is called; `mean_batch` is told where writers make them.
    """

    per_second: float
    ratio: float
    ratios: Sequence[float]
    server_us: float
    cost_ratio: float
    latency_ms: Mapping[str, float]
    mean_batch: float | None
    target: float | None


@dataclass(frozen=True, slots=True)
class Turn:
    """One side in one round."""

    measured: Measured
    server_us: float

    @property
    def per_second(self) -> float:
        """Return operations per second."""
        return self.measured.per_second


Round = Mapping[str, Turn]
Side = Callable[[Round], Measured]
"""Works once, knowing the turns of the round so far."""


def take_turns(server: EmbeddedServer, sides: Mapping[str, Side]) -> Round:
    """Measure one side after the other."""
    turns: dict[str, Turn] = {}
    for name, side in sides.items():
        checkpoint(server)
        cpu = server_cpu_seconds(server)
        measured = side(turns)
        cpu = server_cpu_seconds(server) - cpu
        turns[name] = Turn(measured, cpu / measured.operations * 1e6)
    return turns


def vacuum_all(houses: Sequence[House]) -> None:
    """Vacuum and analyse every house's tables, as pgbench does with its own when it fills them."""
    for house in houses:
        with connect(house.conninfo, autocommit=True, limits=NO_LIMITS) as session:
            session.execute("VACUUM (ANALYZE)")


def require_every_law(houses: Sequence[House]) -> str:
    """Hold every law in every house; return the server's version.

    Raises:
        InternalError: INTERNAL_LAW_BROKEN; what is fast and wrong has no figures.

    """
    version = "unknown"
    for house in houses:
        with house.patient_session() as session, session.transaction():
            analyze_record(session)
            require_laws(check_laws(session))
            version = session.info.parameter_status("server_version") or version
    return version


def figures_of(rounds: Sequence[Round], targets: Mapping[str, float]) -> dict[str, SideFigures]:
    """Return each side's figures."""
    return {name: _figures(name, rounds, targets.get(name)) for name in rounds[0]}


def compared(rounds: Sequence[Round], name: str, with_name: str) -> float | None:
    """Return the median of one side's rate to another's; None where one was not measured."""
    if name not in rounds[0] or with_name not in rounds[0]:
        return None
    rates = [turns[name].per_second / turns[with_name].per_second for turns in rounds]
    return round(statistics.median(rates), 3)


def operations_of(rounds: Sequence[Round]) -> int:
    """Return how many operations were done by all sides but TPC-B."""
    turns = [turn for one in rounds for name, turn in one.items() if name != TPC_B]
    return sum(turn.measured.operations for turn in turns)


def _figures(name: str, rounds: Sequence[Round], target: float | None) -> SideFigures:
    turns = [one[name] for one in rounds]
    ratios = [one[name].per_second / one[TPC_B].per_second for one in rounds]
    costs = [one[TPC_B].server_us / one[name].server_us for one in rounds]
    latencies = sorted(latency for turn in turns for latency in turn.measured.latencies)
    batches = sum(turn.measured.batches for turn in turns)
    operations = sum(turn.measured.operations for turn in turns)
    return SideFigures(
        per_second=round(statistics.median(turn.per_second for turn in turns), 1),
        ratio=round(statistics.median(ratios), 3),
        ratios=[round(ratio, 3) for ratio in ratios],
        server_us=round(statistics.median(turn.server_us for turn in turns), 1),
        cost_ratio=round(statistics.median(costs), 3),
        latency_ms={"p50": percentile(latencies, 0.5), "p99": percentile(latencies, 0.99)},
        mean_batch=round(operations / batches, 1) if batches else None,
        target=target,
    )
