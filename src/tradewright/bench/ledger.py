"""How many ledger operations a second are done, beside pgbench on the same server in the same run.

Single calls of the SQL functions run from pgbench's own clients, as TPC-B does; batches from
writer processes (`batches`), each with its share of the wallets. All sides take turns, round after
round, each from just after a checkpoint; ratios are those of one round, and medians are told.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from psycopg.conninfo import make_conninfo

from tradewright.audit import analyze_record, check_laws, require_laws
from tradewright.bench.batches import BatchesDone, BatchRequest, serve_batches
from tradewright.bench.cpu import server_cpu_seconds
from tradewright.bench.pgbench import (
    Measured,
    checkpoint,
    percentile,
    prepare_pgbench,
    run_script,
    run_tpc_b,
)
from tradewright.bench.wallets import USER_ID, open_wallets
from tradewright.core.clock import monotonic_seconds
from tradewright.core.ids import new_id_text
from tradewright.core.processes import WorkProcess
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.wiring import House, second_house

TPC_B = "tpc_b"
MANY = "_many"
FLAT = ("credit", "reserve", "batch_1000_writers_1")
"""The sides that are measured with many wallets too."""

BATCH_SIZES = (100, 1_000)
WRITERS = (1, 2)
_CALLS = {
    "credit": "SELECT * FROM credit_user_balance({user}, 'USD', 1, {key});",
    "reserve": "SELECT * FROM reserve_user_balance({user}, 'USD', 0.01, {key}, 'order');",
}

TARGETS: Mapping[str, float] = {
    "credit": 1.0,
    "reserve": 1.0,
    "credit_hot": 0.4,
    "reserve_hot": 0.4,
    "batch_100_writers_2": 7.0,
    "batch_1000_writers_2": 12.0,
}
"""The least ratio to TPC-B that a side should have, by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLoad:
    """How many wallets, and how often and how long each side is measured.

    With `many`, a second database of so many wallets takes turns with the first.
    """

    wallets: int
    many: int | None = None
    rounds: int
    seconds: int


@dataclass(frozen=True, slots=True)
class SideFigures:
    """Medians of one side over the rounds; `ratio` and `cost_ratio` are to TPC-B.

    `server_us` is the server's processor time for one operation. A latency is that of one call,
    or of one batch.
    """

    per_second: float
    ratio: float
    ratios: Sequence[float]
    server_us: float
    cost_ratio: float
    latency_ms: Mapping[str, float]
    target: float | None


@dataclass(frozen=True, slots=True)
class LedgerBench:
    """What was measured, side by side; `flat` is the rate with many wallets to that with few."""

    sides: Mapping[str, SideFigures]
    flat: Mapping[str, float]
    load: LedgerLoad
    operations: int
    postgres_version: str


@dataclass(frozen=True, slots=True)
class _Turn:
    """One side in one round."""

    per_second: float
    server_us: float
    latencies: list[float]
    operations: int


@dataclass(slots=True)
class _Bench:
    """The sides by name, each a function that works for some seconds."""

    server: EmbeddedServer
    sides: dict[str, Callable[[int], Measured]] = field(default_factory=dict)

    def turn(self, name: str, seconds: int) -> _Turn:
        """Measure one side, from just after a checkpoint."""
        checkpoint(self.server)
        cpu = server_cpu_seconds(self.server)
        begun = monotonic_seconds()
        measured = self.sides[name](seconds)
        done = measured.per_second * (monotonic_seconds() - begun)
        cpu = server_cpu_seconds(self.server) - cpu
        return _Turn(measured.per_second, cpu / done * 1e6, measured.latencies, round(done))


def bench_ledger(server: EmbeddedServer, house: House, load: LedgerLoad) -> LedgerBench:
    """Measure every side in interleaved rounds; check every law at the end.

    The tables are analysed after the warm-up, as pgbench analyses its own when it fills them.

    Raises:
        InternalError: INTERNAL_LAW_BROKEN; a fast ledger that is wrong has no figures.

    """
    prepare_pgbench(server)
    houses = {"": house}
    if load.many is not None:
        houses[MANY] = second_house(server, "many")
    counts = {"": load.wallets, MANY: load.many or 0}
    with ExitStack() as running:
        bench = _Bench(server, {TPC_B: lambda seconds: run_tpc_b(server, seconds)})
        for suffix, one in houses.items():
            writers = _open_writers(running, one, counts[suffix])
            sides = _sides(server, one, counts[suffix], writers)
            kept = sides if not suffix else {name: sides[name] for name in FLAT}
            bench.sides |= {f"{name}{suffix}": side for name, side in kept.items()}
        rounds = _rounds(bench, load, list(houses.values()))
    for one in houses.values():
        version = _require_laws(one)
    operations = sum(turn.operations for turns in rounds for turn in turns.values())
    return LedgerBench(_figures(rounds), _flat(rounds), load, operations, version)


def _open_writers(running: ExitStack, house: House, count: int) -> list[WorkProcess[BatchesDone]]:
    """Open the wallets and start the writers, each with its share of them."""
    wallets = open_wallets(house, count=count, funded=count)
    return [
        running.enter_context(
            WorkProcess[BatchesDone](
                serve_batches, house.conninfo, wallets[number :: max(WRITERS)], number
            )
        )
        for number in range(max(WRITERS))
    ]


def _rounds(bench: _Bench, load: LedgerLoad, houses: Sequence[House]) -> list[dict[str, _Turn]]:
    """Warm every side up, analyse, then measure them in turn, round after round."""
    for name in bench.sides:
        bench.sides[name](1)
    for house in houses:
        with house.session() as session, session.transaction():
            analyze_record(session)
    return [
        {name: bench.turn(name, load.seconds) for name in bench.sides} for _ in range(load.rounds)
    ]


def _require_laws(house: House) -> str:
    """Hold every law; return the server's version."""
    with house.session() as session, session.transaction():
        analyze_record(session)
        require_laws(check_laws(session))
        return session.info.parameter_status("server_version") or "unknown"


def _flat(rounds: Sequence[Mapping[str, _Turn]]) -> dict[str, float]:
    """Return the rate with many wallets to that with few, the median over the rounds."""
    return {
        name: round(
            statistics.median(t[f"{name}{MANY}"].per_second / t[name].per_second for t in rounds),
            3,
        )
        for name in FLAT
        if f"{name}{MANY}" in rounds[0]
    }


def call_script(call: str, wallets: int) -> str:
    """Return pgbench's script of a call on one of so many wallets, drawn at random.

    Each script has keys of its own, in the order of time, made as a client makes them: not by
    the server.
    """
    user = USER_ID.format(number=":number")
    low = "lpad(to_hex(:client_id * 4294967296 + :call), 12, '0')"
    key = f"('{new_id_text()[:24]}' || {low})::uuid"
    return (
        f"\\set number random(1, {wallets})\n\\set call :call + 1\n"
        f"{_CALLS[call].format(user=user, key=key)}\n"
    )


def call_side(
    server: EmbeddedServer, house: House, call: str, wallets: int
) -> Callable[[int], Measured]:
    """Return the side that makes a call on one of so many wallets."""
    conninfo = make_conninfo(house.conninfo, options="-csearch_path=tradewright,pg_temp")
    return lambda seconds: run_script(server, conninfo, call_script(call, wallets), seconds)


def batch_side(writers: Sequence[WorkProcess[BatchesDone]], size: int) -> Callable[[int], Measured]:
    """Return the side in which writers book batches of a size."""

    def book(seconds: int) -> Measured:
        for writer in writers:
            writer.begin(BatchRequest(seconds, size))
        parts = [writer.finish() for writer in writers]
        rate = sum(len(part.latencies) * size / part.seconds for part in parts)
        return Measured(rate, [latency for part in parts for latency in part.latencies])

    return book


def _sides(
    server: EmbeddedServer, house: House, wallets: int, writers: Sequence[WorkProcess[BatchesDone]]
) -> dict[str, Callable[[int], Measured]]:
    """Return every side of the ledger by its name."""
    sides: dict[str, Callable[[int], Measured]] = {}
    for call in _CALLS:
        sides[call] = call_side(server, house, call, wallets)
        sides[f"{call}_hot"] = call_side(server, house, call, 1)
    for size in BATCH_SIZES:
        for count in WRITERS:
            sides[f"batch_{size}_writers_{count}"] = batch_side(writers[:count], size)
    return sides


def _figures(rounds: Sequence[Mapping[str, _Turn]]) -> dict[str, SideFigures]:
    return {name: _side_figures(name, rounds) for name in rounds[0]}


def _side_figures(name: str, rounds: Sequence[Mapping[str, _Turn]]) -> SideFigures:
    turns = [turns[name] for turns in rounds]
    ratios = [turns[name].per_second / turns[TPC_B].per_second for turns in rounds]
    costs = [turns[TPC_B].server_us / turns[name].server_us for turns in rounds]
    latencies = sorted(latency for turn in turns for latency in turn.latencies)
    return SideFigures(
        per_second=round(statistics.median(turn.per_second for turn in turns), 1),
        ratio=round(statistics.median(ratios), 3),
        ratios=[round(ratio, 3) for ratio in ratios],
        server_us=round(statistics.median(turn.server_us for turn in turns), 1),
        cost_ratio=round(statistics.median(costs), 3),
        latency_ms={"p50": percentile(latencies, 0.5), "p99": percentile(latencies, 0.99)},
        target=TARGETS.get(name),
    )
