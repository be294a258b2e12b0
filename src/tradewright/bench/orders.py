"""How many orders a second are booked, beside pgbench on the same server in the same run.

Each order is a market order of one of many accounts, submitted by one of many concurrent clients,
each of which waits for its report before it submits the next. It is booked with everything: order,
events, fill, trade, position, transfers, ledger entries, balance, guards and audit. Each writer is
a process of its own (`load`) with its share of the clients and of the accounts: any writer may book
for any account, but two that share accounts wait for each other's locks.
"""

import statistics
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal

from tradewright.audit import analyze_record, check_laws, require_laws
from tradewright.bench.load import Done, bench_instruments, serve_orders
from tradewright.bench.pgbench import checkpoint, percentile, prepare_pgbench, run_pgbench
from tradewright.core.ids import new_id_text
from tradewright.core.processes import WorkProcess
from tradewright.ledger import credit, transfer_to_account
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.risk.model import ClientClass
from tradewright.trading.registry import (
    AccountSettings,
    grant_role,
    list_instrument,
    open_account,
    open_user,
)
from tradewright.wiring import House, simulated_providers

ACCOUNTS = 1_000
DEPOSIT = Decimal(10_000_000)
WARM_UP_SECONDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersLoad:
    """How many clients submit, how many writers book, and for how long."""

    submitters: int
    writers: int
    rounds: int
    seconds: int


@dataclass(frozen=True, slots=True)
class OrdersBench:
    """Medians over the rounds; `ratio` is the median of each round's own ratio."""

    orders_per_second: float
    pgbench_tps: float
    ratio: float
    ratios: Sequence[float]
    latency_ms: dict[str, float]
    submitters: int
    writers: int
    rounds: int
    seconds_per_round: int
    orders_booked: int
    mean_batch: float
    postgres_version: str


@dataclass(frozen=True, slots=True)
class _Round:
    orders_per_second: float
    pgbench_tps: float
    latencies: list[float]
    batches: int


def bench_orders(server: EmbeddedServer, house: House, load: OrdersLoad) -> OrdersBench:
    """Measure in interleaved rounds, pgbench first in each; checks every law at the end.

    The tables are analysed after the warm-up, as pgbench analyses its own when it fills them.

    Raises:
        InternalError: INTERNAL_LAW_BROKEN; a fast engine that is wrong has no figures.

    """
    prepare_pgbench(server)
    accounts = _open_accounts(house)
    with house.session() as session, session.transaction():
        simulated_providers(session, 1)
    with ExitStack() as running:
        processes = [running.enter_context(one) for one in _processes(house, accounts, load)]
        _run_load(processes, WARM_UP_SECONDS)
        with house.session() as session, session.transaction():
            analyze_record(session)
        measured = [_round(server, processes, load.seconds) for _ in range(load.rounds)]
    with house.session() as session, session.transaction():
        analyze_record(session)
        require_laws(check_laws(session))
        version = session.info.parameter_status("server_version") or "unknown"
    return _figures(measured, load, version)


def _processes(
    house: House, accounts: Sequence[str], load: OrdersLoad
) -> Iterator[WorkProcess[Done]]:
    """Give each writer its share of the clients and of the accounts."""
    for number in range(load.writers):
        own = accounts[number :: load.writers]
        submitters = _share(load.submitters, number, load.writers)
        yield WorkProcess[Done](serve_orders, house.conninfo, own, submitters)


def _round(server: EmbeddedServer, processes: Sequence[WorkProcess[Done]], seconds: int) -> _Round:
    """Measure one side after the other, each from just after a checkpoint."""
    checkpoint(server)
    tps = run_pgbench(server, seconds)
    checkpoint(server)
    latencies, batches = _run_load(processes, seconds)
    return _Round(len(latencies) / seconds, tps, latencies, batches)


def _run_load(processes: Sequence[WorkProcess[Done]], seconds: int) -> tuple[list[float], int]:
    """Let all processes submit at once for `seconds`; return latencies in seconds, and batches."""
    for process in processes:
        process.begin(seconds)
    done = [process.finish() for process in processes]
    latencies = [latency for part in done for latency in part.latencies]
    return latencies, sum(part.batches for part in done)


def _share(total: int, part: int, parts: int) -> int:
    return total * (part + 1) // parts - total * part // parts


def _figures(measured: Sequence[_Round], load: OrdersLoad, version: str) -> OrdersBench:
    latencies = sorted(one for part in measured for one in part.latencies)
    ratios = [part.orders_per_second / part.pgbench_tps for part in measured]
    return OrdersBench(
        orders_per_second=round(statistics.median(p.orders_per_second for p in measured), 1),
        pgbench_tps=round(statistics.median(p.pgbench_tps for p in measured), 1),
        ratio=round(statistics.median(ratios), 3),
        ratios=[round(ratio, 3) for ratio in ratios],
        latency_ms={"p50": percentile(latencies, 0.5), "p99": percentile(latencies, 0.99)},
        submitters=load.submitters,
        writers=load.writers,
        rounds=load.rounds,
        seconds_per_round=load.seconds,
        orders_booked=len(latencies),
        mean_batch=round(len(latencies) / sum(part.batches for part in measured), 1),
        postgres_version=version,
    )


def _open_accounts(house: House) -> list[str]:
    """Open the accounts, one in each of as many users' names, and fund them."""
    accounts = []
    with house.session() as session, session.transaction():
        for instrument in bench_instruments():
            list_instrument(session, instrument)
        for number in range(ACCOUNTS):
            user_id = open_user(
                session,
                email=f"{number}@bench.example",
                client_class=ClientClass.PROFESSIONAL,
                kyc_level=4,
            )
            grant_role(session, user_id, "trader")
            settings = AccountSettings(currency="USD", leverage=100)
            account_id = open_account(session, user_id, settings)
            credit(session, user_id, "USD", DEPOSIT, transaction_id=new_id_text())
            transfer_to_account(session, account_id, DEPOSIT, transaction_id=new_id_text())
            accounts.append(account_id)
    return accounts
