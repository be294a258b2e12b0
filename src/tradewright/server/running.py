"""An engine with its providers, from its start until it is told to stop.

Opens the sessions of every provider that is connected over FIX, lets writers and watchers work, and
tells what happens as events with facts; who renders them is up to the caller. What was in flight
when a process was killed is resolved by the next start: nothing is kept here that is not in the
database.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tradewright.core.clock import monotonic_seconds, utc_now
from tradewright.core.errors import ErrorCode, InputError, StateError, TradewrightError
from tradewright.core.processes import settle_garbage
from tradewright.liquidity.fix.connections import read_connections
from tradewright.liquidity.fix.gateway import FixGateway
from tradewright.liquidity.instrument import Instrument
from tradewright.server.address import Address
from tradewright.server.order_line import OrderLine, bound_socket
from tradewright.trading.counts import EngineCounts
from tradewright.trading.engine import Engine
from tradewright.wiring import House, connected_providers, traded_symbols

LOOK_SECONDS = 0.2

Tell = Callable[[str, Mapping[str, object]], None]
"""Takes the name of an event and its facts; may be called by any thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRun:
    """How an engine is run: whom it connects to, and where it takes orders or shows figures.

    Without `symbols` prices of every traded instrument are asked for, also of those that are listed
    while it runs; without `providers` each that
    is connected takes part.
    """

    symbols: Sequence[str] = ()
    providers: Sequence[str] = ()
    password_of: Callable[[str], str | None] = lambda _: None
    socket: Path | None = None
    writers: int = 1
    report_seconds: float = 60
    metrics: Address | None = None


def run_engine(house: House, run: EngineRun, tell: Tell, stopping: threading.Event) -> None:
    """Run an engine until `stopping` is set, then book what is queued and stop.

    Raises:
        InputError: INSTRUMENT_UNKNOWN, ENGINE_SOCKET_UNUSABLE.
        StateError: PROVIDER_NOT_CONNECTED when no provider is connected over FIX,
            ENGINE_SOCKET_TAKEN, SERVER_ADDRESS_UNUSABLE.
        DatabaseError: the database could not be read at the start.

    """
    with ExitStack() as held:
        bound = None if run.socket is None else held.enter_context(bound_socket(run.socket))
        show = None if run.metrics is None else held.enter_context(_exposed(run.metrics, tell))
        gateways = _gateways(house, run)
        with house.engine(gateways, writers=run.writers) as engine:
            if show is not None:
                show(engine, gateways)
            settle_garbage()  # a search among 100,000 resting orders stops everything for 0.2 s
            facts = {"providers": sorted(gateways), "writers": run.writers}
            tell("started", {**facts, "in_flight": engine.pending_count, "socket": run.socket})
            line = None if bound is None else OrderLine(bound, engine.submit)
            _Watch(engine, gateways, tell, run).until(stopping)
            tell("stopping", {})
            if line is not None:
                line.close()
    _tell_failures(engine, tell)
    tell("stopped", {**asdict(engine.counts), "in_flight": engine.pending_count})


Show = Callable[[Engine, Mapping[str, FixGateway]], None]
"""Takes the engine whose figures are to be shown, with its providers."""


@contextmanager
def _exposed(place: Address, tell: Tell) -> Iterator[Show]:
    """Show an engine's figures at a place; the block says whose, once there is one."""
    # Its package is of an extra, which an engine without figures does not need.
    from tradewright.server.metrics.engine import EngineCollector  # noqa: PLC0415
    from tradewright.server.metrics.exposing import exposed  # noqa: PLC0415

    shown = EngineCollector()

    def show(engine: Engine, gateways: Mapping[str, FixGateway]) -> None:
        shown.providers = lambda: {code: one.is_ready for code, one in gateways.items()}
        shown.figures = lambda: engine.figures(utc_now())

    with exposed(shown, place) as address:
        tell("figures", {"address": f"http://{address}/metrics"})
        yield show


def _gateways(house: House, run: EngineRun) -> dict[str, FixGateway]:
    symbols = _symbols(house, run.symbols)
    with house.session() as session:
        codes = {one.provider for one in read_connections(session)}
    passwords = {code: run.password_of(code) for code in codes}
    known = {code: password for code, password in passwords.items() if password is not None}
    found = connected_providers(house, symbols, known)
    missing = sorted(set(run.providers) - set(found))
    if missing or not found:
        raise _not_connected(missing)
    return {code: one for code, one in found.items() if not run.providers or code in run.providers}


def _symbols(house: House, wanted: Sequence[str]) -> Sequence[str]:
    traded = traded_symbols(house)
    unknown = sorted(set(wanted) - set(traded))
    if unknown or not traded:
        raise InputError(
            ErrorCode.INSTRUMENT_UNKNOWN,
            f'instrument "{unknown[0]}" is not traded' if unknown else "no instrument is traded",
            why=f"{len(traded)} instruments are listed and tradable.",
            hint="List the instrument first, or name one that is traded.",
        )
    return wanted or traded


def _not_connected(missing: Sequence[str]) -> StateError:
    named = f'provider "{missing[0]}" is not' if missing else "no provider is"
    return StateError(
        ErrorCode.PROVIDER_NOT_CONNECTED,
        f"{named} enabled and connected over FIX for orders",
        why="An engine that is run by itself deals with providers that it reaches.",
        hint="Connect one with tradewright providers connect; see tradewright providers list.",
    )


@dataclass(slots=True)
class _Watch:
    """Looks at a running engine now and then, and tells what has changed."""

    engine: Engine
    gateways: Mapping[str, FixGateway]
    tell: Tell
    run: EngineRun
    _is_ready: dict[str, bool] = field(default_factory=dict)
    _told: EngineCounts | None = None
    _instruments: Mapping[str, Instrument] | None = None

    def until(self, stopping: threading.Event) -> None:
        """Look until it is time to stop."""
        reports_at = monotonic_seconds() + self.run.report_seconds
        while not stopping.wait(LOOK_SECONDS):
            self._look_at_instruments()
            self._look_at_sessions()
            _tell_failures(self.engine, self.tell)
            if monotonic_seconds() >= reports_at:
                self._report()
                reports_at += self.run.report_seconds

    def _look_at_instruments(self) -> None:
        """Ask for the prices of what is traded now, when that has changed."""
        instruments = self.engine.reference.instruments
        if instruments is self._instruments:
            return
        is_same = instruments == self._instruments
        self._instruments = instruments
        if not is_same:
            traded = sorted(key for key, one in instruments.items() if one.is_tradable)
            for gateway in self.gateways.values():
                gateway.follow(self.run.symbols or traded)

    def _look_at_sessions(self) -> None:
        for code, gateway in self.gateways.items():
            is_ready = gateway.is_ready
            if is_ready is not self._is_ready.get(code, False):
                self._is_ready[code] = is_ready
                facts = {"provider": code}
                if is_ready:
                    self.tell("logged_on", facts)
                else:
                    self.tell("logged_off", facts | {"why": gateway.why_not})

    def _report(self) -> None:
        counts = self.engine.counts
        if counts != self._told:
            self._told = counts
            self.tell("booked", {**asdict(counts), "in_flight": self.engine.pending_count})


def _tell_failures(engine: Engine, tell: Tell) -> None:
    try:
        engine.tell_failures()
    except TradewrightError as error:
        tell("failed", error.as_dict())
