"""How many ledger operations a second are done, beside pgbench on the same server in the same run.

Single calls of the SQL functions run from pgbench's own clients, as TPC-B does; batches from
writer processes (`batches`), each with its share of the wallets. All sides take turns, round after
round, each from just after a checkpoint; ratios are those of one round, and medians are told.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from psycopg.conninfo import make_conninfo

from tradewright.bench.batches import BatchesDone, BatchRequest, serve_batches
from tradewright.bench.pgbench import Measured, prepare_pgbench, run_script, run_tpc_b
from tradewright.bench.sides import (
    TPC_B,
    Side,
    SideFigures,
    compared,
    figures_of,
    operations_of,
    require_every_law,
    take_turns,
    vacuum_all,
)
from tradewright.bench.wallets import FIRST_NUMBER, USER_ID, open_wallets
from tradewright.core.ids import new_id_text
from tradewright.core.processes import WorkProcess
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.wiring import House, second_house

_Work = Callable[[int], Measured]
"""Works for some seconds."""

MANY = "_many"
FLAT = ("credit", "reserve", "batch_1000_writers_1")
"""The sides that are measured with many wallets too."""

SIDES = (
    "credit",
    "credit_hot",
    "reserve",
    "reserve_hot",
    "batch_100_writers_1",
    "batch_100_writers_2",
    "batch_1000_writers_1",
    "batch_1000_writers_2",
)
"""Every side beside TPC-B, by its name."""

BATCH_SIZES = (100, 1_000)
WRITERS = (1, 2)
_CALLS = {
    "credit": "SELECT * FROM credit_user_balance('{user}', 'USD', 1, '{key}');",
    "reserve": "SELECT * FROM reserve_user_balance('{user}', 'USD', 0.01, '{key}', 'order');",
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

    With `many`, a second database of so many wallets takes turns with the first. With `only`, the
    sides of these names alone are measured.
    """

    wallets: int
    many: int | None = None
    only: tuple[str, ...] = ()
    rounds: int
    seconds: int


@dataclass(frozen=True, slots=True)
class LedgerBench:
    """What was measured, side by side; `flat` is the rate with many wallets to that with few."""

    sides: Mapping[str, SideFigures]
    flat: Mapping[str, float]
    load: LedgerLoad
    operations: int
    postgres_version: str


def bench_ledger(server: EmbeddedServer, house: House, load: LedgerLoad) -> LedgerBench:
    """Measure every side in interleaved rounds; check every law at the end.

    The tables are vacuumed and analysed after the warm-up, as pgbench does with its own. Where two
    databases are compared the warm-up is as long as a turn: index pages that were filled to the
    brim when a million wallets were opened in their order have been split by then.

    Raises:
        InternalError: INTERNAL_LAW_BROKEN; a fast ledger that is wrong has no figures.

    """
    prepare_pgbench(server)
    houses = {"": house}
    if load.many is not None:
        houses[MANY] = second_house(server, "many")
    with ExitStack() as running:
        sides = _all_sides(running, server, houses, load)
        for work in sides.values():
            work(1 if load.many is None else load.seconds)
        vacuum_all(list(houses.values()))
        timed = {name: _timed(work, load.seconds) for name, work in sides.items()}
        rounds = [take_turns(server, timed) for _ in range(load.rounds)]
    version = require_every_law(list(houses.values()))
    flat = {name: compared(rounds, f"{name}{MANY}", name) for name in FLAT}
    return LedgerBench(
        sides=figures_of(rounds, TARGETS),
        flat={name: rate for name, rate in flat.items() if rate is not None},
        load=load,
        operations=operations_of(rounds),
        postgres_version=version,
    )


def _all_sides(
    running: ExitStack, server: EmbeddedServer, houses: Mapping[str, House], load: LedgerLoad
) -> dict[str, _Work]:
    """Return TPC-B and the sides of each house that are asked for, by their names."""
    counts = {"": load.wallets, MANY: load.many or 0}
    sides: dict[str, _Work] = {TPC_B: lambda seconds: run_tpc_b(server, seconds)}
    for suffix, house in houses.items():
        writers = _open_writers(running, house, counts[suffix])
        own = _sides(server, house, counts[suffix], writers)
        sides |= {
            f"{name}{suffix}": work
            for name, work in own.items()
            if name in (load.only or own) and (name in FLAT or not suffix)
        }
    return sides


def _timed(work: _Work, seconds: int) -> Side:
    return lambda _: work(seconds)


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


def call_script(call: str, wallets: int) -> str:
    """Return pgbench's script of a call on one of so many wallets, drawn at random.

    Each script has keys of its own, in the order of time. Ids and keys reach the server as a
    client sends them: written out.
    """
    user = USER_ID.format(number=":number")
    return (
        f"\\set number random({FIRST_NUMBER}, {FIRST_NUMBER + wallets - 1})\n"
        "\\set call :call + 1\n"
        "\\set key 100000000000 + :client_id * 10000000000 + :call\n"
        f"{_CALLS[call].format(user=user, key=f'{new_id_text()[:24]}:key')}\n"
    )


def call_side(server: EmbeddedServer, house: House, call: str, wallets: int) -> _Work:
    """Return the side that makes a call on one of so many wallets."""
    conninfo = make_conninfo(house.conninfo, options="-csearch_path=tradewright,pg_temp")
    return lambda seconds: run_script(server, conninfo, call_script(call, wallets), seconds)


def batch_side(writers: Sequence[WorkProcess[BatchesDone]], size: int) -> _Work:
    """Return the side in which writers book batches of a size."""

    def book(seconds: int) -> Measured:
        for writer in writers:
            writer.begin(BatchRequest(seconds, size))
        parts = [writer.finish() for writer in writers]
        rate = sum(len(part.latencies) * size / part.seconds for part in parts)
        latencies = [latency for part in parts for latency in part.latencies]
        return Measured(rate, len(latencies) * size, latencies)

    return book


def _sides(
    server: EmbeddedServer, house: House, wallets: int, writers: Sequence[WorkProcess[BatchesDone]]
) -> dict[str, _Work]:
    """Return every side of the ledger by its name."""
    sides: dict[str, _Work] = {}
    for call in _CALLS:
        sides[call] = call_side(server, house, call, wallets)
        sides[f"{call}_hot"] = call_side(server, house, call, 1)
    for size in BATCH_SIZES:
        for count in WRITERS:
            sides[f"batch_{size}_writers_{count}"] = batch_side(writers[:count], size)
    return sides
