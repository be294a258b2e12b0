"""One writer process of the benchmark of orders: an engine with its clients.

`core.processes` starts it and tells it for how many seconds to submit, and how. Clients that
submit as fast as they are answered find out what can be done; at a rate that is set, orders come
when they are due, and each one's latency counts from there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from random import Random

from tradewright.bench.instruments import quote_bench_market
from tradewright.core.clock import monotonic_seconds
from tradewright.core.errors import ErrorCode, InternalError
from tradewright.core.ids import new_id_text
from tradewright.core.processes import serve_requests, settle_garbage
from tradewright.liquidity.model import Side
from tradewright.liquidity.simulator import DEFAULT_PROFILES, SimulatedProvider
from tradewright.trading.batch import Answer
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
            clients = _Clients(engine, accounts)
            if request.per_second is None:
                latencies = clients.submit_at_once(submitters, request.seconds)
            else:
                latencies = clients.submit_paced(request.per_second, request.seconds)
            return Done(latencies, engine.counts.batches - before)

        serve_requests(pipe, submit)


class _Clients:
    """The clients of one process: each waits for its report, and one thread is all of them.

    A writer's thread puts the answers of a batch where the clients' thread takes them.
    """

    def __init__(self, engine: Engine, accounts: Sequence[str]) -> None:
        self._engine = engine
        self._drawn = _Orders(accounts, new_id_text()[-12:])
        self._answered: SimpleQueue[tuple[float, Answer]] = SimpleQueue()
        self._latencies: list[float] = []
        self._waiting = 0

    def submit_at_once(self, clients: int, seconds: float) -> list[float]:
        """Let each client submit one order after the other for so long; return the latencies."""
        end = monotonic_seconds() + seconds
        for _ in range(clients):
            self._submit(monotonic_seconds())
        while self._waiting:
            self._take()
            if (now := monotonic_seconds()) < end:
                self._submit(now)
        return self._latencies

    def submit_paced(self, per_second: float, seconds: float) -> list[float]:
        """Submit orders when they are due, whether those before are answered or not."""
        begun = monotonic_seconds()
        for number in range(int(per_second * seconds)):
            due = begun + number / per_second
            while (early := due - monotonic_seconds()) > 0:
                self._take(early)
            self._submit(due)
        while self._waiting:
            self._take()
        return self._latencies

    def _submit(self, since: float) -> None:
        """Submit the next order, whose latency counts from `since`."""
        self._waiting += 1
        self._engine.submit_for(self._drawn.next(), _Asked(since, self._answered))

    def _take(self, seconds: float | None = None) -> None:
        """Take the next answer that comes, within so many seconds."""
        try:
            since, report = self._answered.get(timeout=seconds)
        except Empty:
            return
        self._waiting -= 1
        self._latencies.append(monotonic_seconds() - since)
        _require_filled(report)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One client that waits for one report."""

    since: float
    answered: SimpleQueue[tuple[float, Answer]]

    def resolve(self, answers: Sequence[Answer]) -> None:
        self.answered.put((self.since, answers[0]))


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


def _require_filled(report: Answer) -> None:
    if not isinstance(report, OrderReport) or report.status is not OrderStatus.FILLED:
        raise InternalError(
            ErrorCode.INTERNAL_DEFECT,
            f"an order of the benchmark was not filled: {report}",
            why="Its accounts are rich and its market stands still.",
            hint="Report this.",
        )
