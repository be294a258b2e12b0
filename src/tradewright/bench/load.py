"""One writer process of the benchmark of orders: an engine with its clients.

`core.processes` starts it and tells it for how many seconds to submit, and how. Clients that
submit as fast as they are answered find out what can be done; at a rate that is set, orders come
when they are due, and each one's latency counts from there.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from multiprocessing.connection import Connection
from random import Random

from tradewright.bench.instruments import quote_bench_market
from tradewright.core.clock import monotonic_seconds, pause_awaited
from tradewright.core.errors import ErrorCode, InternalError
from tradewright.core.ids import new_id_text
from tradewright.core.processes import serve_requests, settle_garbage
from tradewright.liquidity.model import Side
from tradewright.liquidity.simulator import DEFAULT_PROFILES, SimulatedProvider
from tradewright.trading.awaiting import AwaitedEngine
from tradewright.trading.engine import Engine
from tradewright.trading.model import OrderReport, OrderStatus, SubmitOrder
from tradewright.wiring import House


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """Submit for so many seconds: as fast as answers come, or so many orders a second."""

    seconds: float
    per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What one process did in one round: each order's latency in seconds, and the batches."""

    latencies: list[float]
    batches: int


def serve_orders(pipe: Connection, conninfo: str, accounts: Sequence[str], submitters: int) -> None:
    """Run in the process: a round for each request that arrives, until None."""
    providers = {profile.code: SimulatedProvider(profile, 1) for profile in DEFAULT_PROFILES}
    with House(conninfo, None).engine(providers) as engine:
        quote_bench_market(engine, datetime(2026, 1, 13, 12, tzinfo=UTC))
        settle_garbage()

        def submit(request: LoadRequest) -> Done:
            before = engine.counts.batches
            if request.per_second is None:
                work = _submit_all(engine, accounts, submitters, request.seconds)
            else:
                work = _submit_paced(engine, accounts, request.per_second, request.seconds)
            return Done(asyncio.run(work), engine.counts.batches - before)

        serve_requests(pipe, submit)


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
    drawn = _Orders(accounts, f"{new_id_text()[-12:]}-{number}")
    latencies: list[float] = []
    while (sent := monotonic_seconds()) < end:
        await _fill(awaited, drawn.next())
        latencies.append(monotonic_seconds() - sent)
    return latencies


async def _submit_paced(
    engine: Engine, accounts: Sequence[str], per_second: float, seconds: float
) -> list[float]:
    """Submit orders when they are due, whether those before are answered or not."""
    awaited = AwaitedEngine(engine)
    drawn = _Orders(accounts, new_id_text()[-12:])
    begun = monotonic_seconds()
    latencies: list[float] = []

    async def submit(command: SubmitOrder, due: float) -> None:
        await _fill(awaited, command)
        latencies.append(monotonic_seconds() - due)

    async with asyncio.TaskGroup() as waiting:
        for number in range(int(per_second * seconds)):
            due = begun + number / per_second
            if (early := due - monotonic_seconds()) > 0:
                await pause_awaited(early)
            waiting.create_task(submit(drawn.next(), due))
    return latencies


class _Orders:
    """Market orders of accounts drawn at random, each with a key of its own."""

    def __init__(self, accounts: Sequence[str], run: str) -> None:
        self._accounts = accounts
        self._run = run
        self._random = Random(run)  # noqa: S311 (a load, not a secret)
        self._count = 0

    def next(self) -> SubmitOrder:
        """Return the next order."""
        self._count += 1
        return SubmitOrder(
            account_id=self._random.choice(self._accounts),
            client_order_id=f"{self._run}-{self._count}",
            symbol=self._random.choice(("EURUSD", "USDJPY")),
            side=self._random.choice((Side.BUY, Side.SELL)),
            quantity=Decimal(1000) * self._random.randint(1, 20),
        )


async def _fill(awaited: AwaitedEngine, command: SubmitOrder) -> None:
    report = await awaited.submit(command)
    if not isinstance(report, OrderReport) or report.status is not OrderStatus.FILLED:
        raise InternalError(
            ErrorCode.INTERNAL_DEFECT,
            f"an order of the benchmark was not filled: {report}",
            why="Its accounts are rich and its market stands still.",
            hint="Report this.",
        )
