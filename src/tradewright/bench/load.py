"""One writer process of the benchmark of orders: an engine with its clients.

`core.processes` starts it and tells it for how many seconds to submit.
"""

import asyncio
import gc
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from multiprocessing.connection import Connection
from random import Random

from tradewright.core.clock import monotonic_seconds
from tradewright.core.errors import ErrorCode, InternalError
from tradewright.core.ids import new_id_text
from tradewright.core.processes import serve_requests
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.model import Quote, Side
from tradewright.liquidity.simulator import DEFAULT_PROFILES, SimulatedProvider
from tradewright.trading.awaiting import AwaitedEngine
from tradewright.trading.engine import Engine
from tradewright.trading.model import OrderReport, OrderStatus, SubmitOrder
from tradewright.wiring import House

GARBAGE_THRESHOLD = 50_000
"""A batch makes thousands of values that die with it; looking for cycles among them finds none."""


@dataclass(frozen=True, slots=True)
class Done:
    """What one process did in one round: each order's latency in seconds, and the batches."""

    latencies: list[float]
    batches: int


def bench_instruments() -> list[Instrument]:
    """Return the two instruments that the benchmark trades."""
    return [_instrument("EURUSD", "0.00001"), _instrument("USDJPY", "0.001")]


def serve_orders(pipe: Connection, conninfo: str, accounts: Sequence[str], submitters: int) -> None:
    """Run in the process: a round for each number of seconds that arrives, until None."""
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    providers = {profile.code: SimulatedProvider(profile, 1) for profile in DEFAULT_PROFILES}
    with House(conninfo, None).engine(providers) as engine:
        _quote(engine)

        def submit_for(seconds: float) -> Done:
            before = engine.counts.batches
            latencies = asyncio.run(_submit_all(engine, accounts, submitters, seconds))
            return Done(latencies, engine.counts.batches - before)

        serve_requests(pipe, submit_for)


async def _submit_all(
    engine: Engine, accounts: Sequence[str], submitters: int, seconds: float
) -> list[float]:
    awaited = AwaitedEngine(engine)
    end = monotonic_seconds() + seconds
    parts = await asyncio.gather(
        *(_submitter(awaited, accounts, number, end) for number in range(submitters))
    )
    return [latency for part in parts for latency in part]


async def _submitter(
    awaited: AwaitedEngine, accounts: Sequence[str], number: int, end: float
) -> list[float]:
    """Submit one order after the other until the time is over."""
    run = new_id_text()[-12:]
    random = Random(run)  # noqa: S311 (a load, not a secret)
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
