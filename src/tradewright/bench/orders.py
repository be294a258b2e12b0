"""How many orders a second are booked, beside pgbench on the same server in the same run.

Each order is a market order of one of many accounts, submitted by one of many concurrent clients,
each of which waits for its report before it submits the next. It is booked with everything: order,
events, fill, trade, position, transfers, ledger entries, balance, guards and audit. The clients
are tasks of one event loop in the engine's process.
"""

import asyncio
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from tradewright.audit import check_laws, require_laws
from tradewright.bench.pgbench import prepare_pgbench, run_pgbench
from tradewright.core.clock import monotonic_seconds
from tradewright.core.errors import ErrorCode, InternalError
from tradewright.core.ids import new_id_text
from tradewright.ledger import credit, transfer_to_account
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.model import Quote, Side
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.risk.model import ClientClass
from tradewright.trading.awaiting import AwaitedEngine
from tradewright.trading.engine import Engine
from tradewright.trading.model import OrderReport, OrderStatus, SubmitOrder
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


def bench_orders(server: EmbeddedServer, house: House, load: OrdersLoad) -> OrdersBench:
    """Measure in interleaved rounds, pgbench first in each; checks every law at the end.

    Raises:
        InternalError: INTERNAL_LAW_BROKEN; a fast engine that is wrong has no figures.

    """
    prepare_pgbench(server)
    accounts = _open_accounts(house)
    with house.session() as session, session.transaction():
        providers = simulated_providers(session, 1)
    with house.engine(providers, writers=load.writers) as engine:
        _quote(engine)
        asyncio.run(_submit_all(engine, accounts, load.submitters, WARM_UP_SECONDS))
        before = engine.counts
        measured = [_round(server, engine, accounts, load) for _ in range(load.rounds)]
        after = engine.counts
    with house.session() as session, session.transaction():
        require_laws(check_laws(session))
        version = session.info.parameter_status("server_version") or "unknown"
    mean_batch = (after.commands - before.commands) / (after.batches - before.batches)
    return _figures(measured, load, mean_batch, version)


def _figures(
    measured: Sequence[_Round], load: OrdersLoad, mean_batch: float, version: str
) -> OrdersBench:
    latencies = sorted(one for part in measured for one in part.latencies)
    ratios = [part.orders_per_second / part.pgbench_tps for part in measured]
    return OrdersBench(
        orders_per_second=round(statistics.median(p.orders_per_second for p in measured), 1),
        pgbench_tps=round(statistics.median(p.pgbench_tps for p in measured), 1),
        ratio=round(statistics.median(ratios), 3),
        ratios=[round(ratio, 3) for ratio in ratios],
        latency_ms={"p50": _percentile(latencies, 0.5), "p99": _percentile(latencies, 0.99)},
        submitters=load.submitters,
        writers=load.writers,
        rounds=load.rounds,
        seconds_per_round=load.seconds,
        orders_booked=len(latencies),
        mean_batch=round(mean_batch, 1),
        postgres_version=version,
    )


def _round(
    server: EmbeddedServer, engine: Engine, accounts: Sequence[str], load: OrdersLoad
) -> _Round:
    tps = run_pgbench(server, load.seconds)
    started = monotonic_seconds()
    latencies = asyncio.run(_submit_all(engine, accounts, load.submitters, load.seconds))
    elapsed = monotonic_seconds() - started
    return _Round(len(latencies) / elapsed, tps, latencies)


async def _submit_all(
    engine: Engine, accounts: Sequence[str], submitters: int, seconds: float
) -> list[float]:
    """Let every submitter submit until the time is over; return every latency in seconds."""
    awaited = AwaitedEngine(engine)
    end = monotonic_seconds() + seconds
    parts = await asyncio.gather(
        *(_submitter(awaited, accounts, number, end) for number in range(submitters))
    )
    return [latency for part in parts for latency in part]


async def _submitter(
    awaited: AwaitedEngine, accounts: Sequence[str], number: int, end: float
) -> list[float]:
    random = Random(number)  # noqa: S311 (a load, not a secret)
    run = new_id_text()[-12:]
    latencies: list[float] = []
    while (sent := monotonic_seconds()) < end:
        command = SubmitOrder(
            account_id=random.choice(accounts),
            client_order_id=f"{run}-{number}-{len(latencies)}",
            symbol=random.choice(("EURUSD", "USDJPY")),
            side=random.choice((Side.BUY, Side.SELL)),
            quantity=Decimal(1000) * random.randint(1, 20),
        )
        report = await awaited.submit(command)
        if not isinstance(report, OrderReport) or report.status is not OrderStatus.FILLED:
            raise InternalError(
                ErrorCode.INTERNAL_DEFECT,
                f"an order of the benchmark was not filled: {report}",
                why="Its accounts are rich and its market stands still.",
                hint="Report this.",
            )
        latencies.append(monotonic_seconds() - sent)
    return latencies


def _open_accounts(house: House) -> list[str]:
    """Open the accounts, one in each of as many users' names, and fund them."""
    accounts = []
    with house.session() as session, session.transaction():
        for instrument in (_instrument("EURUSD", "0.00001"), _instrument("USDJPY", "0.001")):
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


def _instrument(symbol: str, tick: str) -> Instrument:
    return Instrument(
        symbol=symbol,
        base_currency=symbol[:3],
        quote_currency=symbol[3:],
        quantity_step=Decimal(1000),
        quantity_min=Decimal(1000),
        quantity_max=Decimal(10_000_000),
        price_tick=Decimal(tick),
        leverage_max=500,
        leverage_max_retail=30,
        commission_per_million=Decimal(35),
        quote_age_max=timedelta(seconds=60),
        is_tradable=True,
    )


def _quote(engine: Engine) -> None:
    """Let the market stand still at one quote for each symbol."""
    now = datetime(2026, 1, 13, 12, tzinfo=UTC)
    engine.on_quote(Quote("EURUSD", Decimal("1.10000"), Decimal("1.10010"), now))
    engine.on_quote(Quote("USDJPY", Decimal("150.000"), Decimal("150.010"), now))


def _percentile(ranked: Sequence[float], share: float) -> float:
    """Return a percentile of sorted seconds, in milliseconds."""
    return round(ranked[min(len(ranked) - 1, int(share * len(ranked)))] * 1000, 2)
