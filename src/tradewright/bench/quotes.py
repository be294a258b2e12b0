"""How many quotes a second go through the watchers of a house in which much is watched.

Each quote goes the whole way of a provider's quote that arrives: onto the board, past every resting
order, protection and margin level, and what it sets off is booked meanwhile. The market walks at
random between two walls, so that accounts are valued again and again but few are called.
"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from random import Random

from tradewright.bench.crowd import MARGINED, fill_crowd, open_crowd
from tradewright.bench.pgbench import Measured, percentile, prepare_pgbench, run_tpc_b
from tradewright.bench.sides import require_every_law
from tradewright.core.clock import monotonic_seconds
from tradewright.core.processes import settle_garbage
from tradewright.liquidity.model import ProviderQuote
from tradewright.liquidity.simulator import DEFAULT_PROFILES
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.trading.engine import Engine
from tradewright.wiring import House

TARGET = 50_000.0
"""The least count of quotes a second."""

_CHUNK = 10_000
_WALLS = Decimal("1.0940"), Decimal("1.1060")
_TICK = Decimal("0.00001")
_SPREAD = Decimal("0.00010")
_SIZE = Decimal(5_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotesLoad:
    """How many orders rest and accounts are margined, and for how long."""

    resting: int
    accounts: int
    rounds: int
    seconds: int


@dataclass(frozen=True, slots=True)
class QuotesBench:
    """Medians over the rounds; `ratio` is to TPC-B's transactions in the same round.

    `proposed` counts the commands that these quotes set off. Latencies are those of single quotes.
    """

    quotes_per_second: float
    ratio: float
    ratios: Sequence[float]
    latency_us: dict[str, float]
    quotes: int
    proposed: int
    target: float
    load: QuotesLoad
    postgres_version: str


def bench_quotes(server: EmbeddedServer, house: House, load: QuotesLoad) -> QuotesBench:
    """Fill a house, then quote and run pgbench in turns; check every law at the end.

    Raises:
        InternalError: INTERNAL_LAW_BROKEN; a fast watcher that is wrong has no figures.

    """
    prepare_pgbench(server)
    accounts = open_crowd(house, load.accounts, MARGINED)
    fill_crowd(house, accounts, MARGINED, positions=load.accounts, resting=load.resting)
    rounds: list[tuple[Measured, Measured]] = []
    with house.engine({}) as engine:
        quotes = _walk(Random(20261122))  # noqa: S311 (a load, not a secret)
        _quote(engine, quotes, 0)
        settle_garbage()
        booked_before = engine.counts.commands
        for _ in range(load.rounds):
            tpc_b = run_tpc_b(server, load.seconds)
            rounds.append((tpc_b, _quote(engine, quotes, load.seconds)))
        proposed = engine.counts.commands - booked_before
    return _figures(rounds, proposed, load, require_every_law([house]))


def _quote(engine: Engine, quotes: Iterator[ProviderQuote], seconds: float) -> Measured:
    """Take quotes for some seconds, at least one chunk; the making of the quotes is not timed."""
    spent = 0.0
    latencies: list[float] = []
    while not latencies or spent < seconds:
        chunk = list(islice(quotes, _CHUNK))
        begun = last = monotonic_seconds()
        for quote in chunk:
            engine.take_quote(quote)
            now = monotonic_seconds()
            latencies.append(now - last)
            last = now
        spent += last - begun
    engine.wait_until_idle()
    return Measured(len(latencies) / spent, len(latencies), latencies)


def _walk(random: Random) -> Iterator[ProviderQuote]:
    """Quote two providers in turn, a few ticks up or down each time, between the walls."""
    bid = Decimal("1.10000")
    at = datetime(2026, 1, 13, 13, tzinfo=UTC)
    sequence = 0
    while True:
        sequence += 1
        at += timedelta(milliseconds=1)
        bid = min(_WALLS[1], max(_WALLS[0], bid + random.randint(-3, 3) * _TICK))
        provider = DEFAULT_PROFILES[sequence % 2].code
        yield ProviderQuote(
            provider=provider,
            symbol="EURUSD",
            bid=bid,
            ask=bid + _SPREAD,
            bid_size=_SIZE,
            ask_size=_SIZE,
            quoted_at=at,
            sequence=sequence,
        )


def _figures(
    rounds: Sequence[tuple[Measured, Measured]], proposed: int, load: QuotesLoad, version: str
) -> QuotesBench:
    latencies = sorted(one for _, measured in rounds for one in measured.latencies)
    ratios = [measured.per_second / tpc_b.per_second for tpc_b, measured in rounds]
    return QuotesBench(
        quotes_per_second=round(statistics.median(m.per_second for _, m in rounds), 1),
        ratio=round(statistics.median(ratios), 2),
        ratios=[round(ratio, 2) for ratio in ratios],
        latency_us={
            "p50": percentile(latencies, 0.5, digits=5) * 1000,
            "p99": percentile(latencies, 0.99, digits=5) * 1000,
        },
        quotes=len(latencies),
        proposed=proposed,
        target=TARGET,
        load=load,
        postgres_version=version,
    )
