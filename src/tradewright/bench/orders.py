"""How many orders a second are booked, beside pgbench on the same server in the same run.

Each order is a market order of one of many accounts, submitted by one of many concurrent clients,
each of which waits for its report before it submits the next. It is booked with everything: order,
events, fill, trade, position, transfers, ledger entries, balance, guards and audit. Each writer is
a process of its own (`load`) with its share of the clients and of the accounts: any writer may book
for any account, but two that share accounts wait for each other's locks.

Beside what can be done by all writers, it is measured what one writer does with the same clients,
how long orders take that come at half the rate, and what becomes of the rate in a house in which
much is open already.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from tradewright.bench.crowd import fill_crowd, open_crowd
from tradewright.bench.load import Done, LoadRequest, serve_orders
from tradewright.bench.pgbench import Measured, prepare_pgbench, run_tpc_b
from tradewright.bench.sides import (
    TPC_B,
    Round,
    Side,
    SideFigures,
    compared,
    figures_of,
    operations_of,
    require_every_law,
    take_turns,
    vacuum_all,
)
from tradewright.core.processes import WorkProcess
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.wiring import House, second_house, simulated_providers

ACCOUNTS = 1_000

ORDERS = "orders"
ONE_WRITER = "one_writer"
HALF_LOAD = "half_load"
FULL = "full_house"

MANY_SUBMITTERS = 1_000
TARGET, TARGET_OF_MANY = 2.0, 4.0
"""The least ratio to TPC-B of orders booked: of a few clients, and of many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersLoad:
    """How many clients submit, how many writers book, and for how long.

    With `positions` or `resting`, a second database takes turns with the first: in it so many
    positions are open, and so many orders rest, of accounts that stand still.
    """

    submitters: int
    writers: int
    rounds: int
    seconds: int
    positions: int = 0
    resting: int = 0


@dataclass(frozen=True, slots=True)
class OrdersBench:
    """What was measured, side by side.

    `writers_ratio` is the rate of all writers to that of one; `flat` the rate in the full house to
    that in the empty one; each the median of the rounds, None where there was nothing to compare.
    """

    sides: Mapping[str, SideFigures]
    writers_ratio: float | None
    flat: float | None
    load: OrdersLoad
    orders_booked: int
    postgres_version: str


_Processes = Sequence[WorkProcess[Done]]


def bench_orders(server: EmbeddedServer, house: House, load: OrdersLoad) -> OrdersBench:
    """Measure in interleaved rounds, pgbench first in each; checks every law at the end.

    The tables are vacuumed and analysed after the warm-up, as pgbench does with its own.

    Raises:
        InternalError: INTERNAL_LAW_BROKEN; a fast engine that is wrong has no figures.

    """
    prepare_pgbench(server)
    houses = [house]
    with ExitStack() as running:
        sides = _house_sides(running, server, house, load)
        if load.positions or load.resting:
            houses.append(second_house(server, FULL))
            sides[FULL] = _full_side(running, houses[1], load)
        take_turns(server, sides)
        vacuum_all(houses)
        rounds = [take_turns(server, sides) for _ in range(load.rounds)]
    target = TARGET if load.submitters < MANY_SUBMITTERS else TARGET_OF_MANY
    return OrdersBench(
        sides=figures_of(rounds, {ORDERS: target}),
        writers_ratio=compared(rounds, ORDERS, ONE_WRITER),
        flat=compared(rounds, FULL, ORDERS),
        load=load,
        orders_booked=operations_of(rounds),
        postgres_version=require_every_law(houses),
    )


def _house_sides(
    running: ExitStack, server: EmbeddedServer, house: House, load: OrdersLoad
) -> dict[str, Side]:
    """Open the accounts, start the writers, and return the sides of the empty house."""
    accounts = open_crowd(house, ACCOUNTS)
    with house.session() as session, session.transaction():
        simulated_providers(session, 1)

    writers = _started(running, house, accounts, load)
    sides: dict[str, Side] = {
        TPC_B: lambda _: run_tpc_b(server, load.seconds),
        ORDERS: _as_fast_as_can_be(writers, load),
    }
    if load.writers > 1:
        one = WorkProcess[Done](serve_orders, house.conninfo, accounts, load.submitters)
        sides[ONE_WRITER] = _as_fast_as_can_be([running.enter_context(one)], load)

    def half_load(turns: Round) -> Measured:
        rate = turns[ORDERS].per_second / 2 / len(writers)
        return _run(writers, LoadRequest(load.seconds, rate))

    return sides | {HALF_LOAD: half_load}


def _full_side(running: ExitStack, house: House, load: OrdersLoad) -> Side:
    """Open a house in which much is open, and return the side that books there.

    Its orders are those of as many accounts as in the other house; what is open is the others'.
    """
    still = max(load.positions // 2, min(load.resting, ACCOUNTS))
    accounts = open_crowd(house, ACCOUNTS + still)
    fill_crowd(house, accounts[ACCOUNTS:], positions=load.positions, resting=load.resting)
    return _as_fast_as_can_be(_started(running, house, accounts[:ACCOUNTS], load), load)


def _started(
    running: ExitStack, house: House, accounts: Sequence[str], load: OrdersLoad
) -> _Processes:
    """Start the writers, each with its share of the clients and of the accounts."""
    return [
        running.enter_context(
            WorkProcess[Done](
                serve_orders,
                house.conninfo,
                accounts[number :: load.writers],
                _share(load.submitters, number, load.writers),
            )
        )
        for number in range(load.writers)
    ]


def _as_fast_as_can_be(processes: _Processes, load: OrdersLoad) -> Side:
    return lambda _: _run(processes, LoadRequest(load.seconds))


def _run(processes: _Processes, request: LoadRequest) -> Measured:
    """Let all processes submit at once."""
    for process in processes:
        process.begin(request)
    done = [process.finish() for process in processes]
    latencies = [latency for part in done for latency in part.latencies]
    batches = sum(part.batches for part in done)
    return Measured(len(latencies) / request.seconds, len(latencies), latencies, batches)


def _share(total: int, part: int, parts: int) -> int:
    return total * (part + 1) // parts - total * part // parts
