"""An engine in a process of its own: it draws the market, books for clients, and may be killed.

Clients reach it through a socket, one request at a time each; an answer that is an error of the
house is sent like any other. It is told on its pipe when to come to an end.
"""

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from multiprocessing.connection import Connection, Listener
from pathlib import Path

import psycopg

from tradewright.core.clock import monotonic_seconds, pause
from tradewright.core.errors import DatabaseError, TradewrightError
from tradewright.core.processes import serve_requests
from tradewright.liquidity.model import ProviderProfile, Quote
from tradewright.postgres.connect import connect
from tradewright.postgres.queries import load_queries
from tradewright.soak.reconnecting import connect_again
from tradewright.soak.trading.gateway import VenueGateway
from tradewright.soak.trading.market import QUOTES_PER_SECOND, quotes
from tradewright.trading.counts import EngineCounts
from tradewright.trading.engine import Engine
from tradewright.trading.model import Command

END_SECONDS_MAX = 60
_PAUSE_SECONDS = 0.02

PROFILES = tuple(
    ProviderProfile(
        code=code,
        priority=priority,
        spread_markup_bps=markup,
        size=size,
        latency_ms=5,
        last_look_ms=0,
        tolerance_bps=Decimal(10),
        reject_probability=Decimal(0),
        outage_probability=Decimal(0),
        outage_quotes_max=0,
        quote_age_ms_max=60_000,
    )
    for code, priority, markup, size in (
        ("LP-NEAR", 1, Decimal("0.05"), Decimal(50_000)),
        ("LP-FAR", 2, Decimal("0.3"), Decimal(5_000_000)),
    )
)
"""How the venue's providers quote; one is shallow, so that larger orders go to both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSetting:
    """Where an engine stands: its database, its socket, the venue's, and when the market began."""

    conninfo: str
    address: str
    venue: str
    seed: int
    begun: float


@dataclass(frozen=True, slots=True)
class See:
    """Ask for the latest quote of each symbol."""


@dataclass(frozen=True, slots=True)
class EngineEnd:
    """How an engine ended: what its writers did, and what of its own work failed for good."""

    counts: EngineCounts
    failures: tuple[str, ...]


@dataclass(slots=True)
class _Desk:
    """The engine with the quotes that it has shown."""

    engine: Engine
    shown: dict[str, Quote] = field(default_factory=dict)
    is_open: bool = True
    feeding: threading.Thread | None = None

    def open(self, setting: EngineSetting) -> None:
        """Begin to show quotes."""
        self.feeding = threading.Thread(target=self._feed, args=(setting,), daemon=True)
        self.feeding.start()

    def _feed(self, setting: EngineSetting) -> None:
        """Show each quote when it is due; what an engine missed it is told without being asked."""
        for number, quote in enumerate(quotes(setting.seed)):
            if not self.is_open:
                return
            wait = setting.begun + number / QUOTES_PER_SECOND - monotonic_seconds()
            pause(max(0.0, wait))
            with suppress(TradewrightError):
                self.engine.on_quote(quote, propose=wait > -1)
            self.shown[quote.symbol] = quote

    def answer(self, connection: Connection) -> None:
        """Answer one client until it hangs up."""
        while True:
            try:
                request = connection.recv()
                connection.send(self._answer(request))
            except (EOFError, OSError):
                return

    def _answer(self, request: See | Command) -> object:
        if isinstance(request, See):
            return dict(self.shown)
        try:
            return self.engine.submit(request).result()
        except TradewrightError as error:
            return error

    def end(self, setting: EngineSetting) -> EngineEnd:
        """Wait until providers have said their last word and all is booked, then stop.

        Once with quotes, for what waits for time to go by; then without, as they set off orders.
        """
        failures = self._settle()
        self.is_open = False
        if self.feeding is not None:
            self.feeding.join()
        failures += self._settle()
        self._wait_for_all(setting)
        self.engine.stop()
        return EngineEnd(self.engine.counts, tuple(failures))

    def _wait_for_all(self, setting: EngineSetting) -> None:
        """Stay until no order waits for a provider: those of a killed engine are taken over."""
        query = load_queries("tradewright.soak.trading")["count_in_flight"]
        deadline = monotonic_seconds() + END_SECONDS_MAX
        with connect(setting.conninfo, autocommit=True) as session:
            while monotonic_seconds() < deadline:
                row = session.execute(query).fetchone()
                if row == (0,) and not self.engine.pending_count:
                    return
                pause(_PAUSE_SECONDS)

    def _settle(self) -> list[str]:
        """Wait until nothing is in flight; return what has failed for good."""
        deadline = monotonic_seconds() + END_SECONDS_MAX
        failures: list[str] = []
        while monotonic_seconds() < deadline:
            try:
                self.engine.wait_until_idle()
            except DatabaseError:
                continue
            except TradewrightError as error:
                failures.append(str(error))
            if not self.engine.pending_count:
                break
            pause(_PAUSE_SECONDS)
        return failures


def serve_engine(pipe: Connection, setting: EngineSetting) -> None:
    """Run in a process: be an engine until "end" is asked for, and then say how it ended.

    Anything else is answered as soon as it stands.
    """
    desk = _Desk(_started(setting))
    desk.open(setting)
    Path(setting.address).unlink(missing_ok=True)
    listener = Listener(setting.address, family="AF_UNIX", backlog=64)
    threading.Thread(target=_accept, args=(listener, desk), daemon=True).start()
    serve_requests(pipe, lambda word: desk.end(setting) if word == "end" else None)


def _started(setting: EngineSetting) -> Engine:
    """Start an engine as soon as the server is there, and stays while it starts."""
    while True:
        connect_again(setting.conninfo).close()
        gateways = {
            profile.code: VenueGateway(profile, setting.seed, setting.venue) for profile in PROFILES
        }
        try:
            engine = Engine(
                lambda: connect(setting.conninfo, writer=True, autocommit=True), gateways
            )
            engine.start()
        except (psycopg.Error, DatabaseError):
            pause(_PAUSE_SECONDS)
        else:
            return engine


def _accept(listener: Listener, desk: _Desk) -> None:
    while True:
        threading.Thread(target=desk.answer, args=(listener.accept(),), daemon=True).start()
