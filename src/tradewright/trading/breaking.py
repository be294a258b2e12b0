"""Circuit breakers at work: measured in memory, moved in the database, one event each.

Prices, the house's loss and the silence of providers are looked at with each quote, what clients
have dealt and providers answered when its batch is committed; what other engines have booked of it
is counted once a second (`house_counts`). A breaker that triggers stops every batch that is decided
from then on (`Trading.unwritten`), and whoever has brought it about writes the event, before
anything that a quote sets off is proposed. While the server is away nobody fails for it: the event
waits in memory, the breaker goes nowhere meanwhile, and the vigil writes it when the server is
back. Several engines may see the same market: the first writes, and the key of the event keeps the
others from writing it again; they read what it has written.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import psycopg

from tradewright.core.errors import TradewrightError
from tradewright.risk.breaker_measures import Silence, Tally, Ticks, error_rate
from tradewright.risk.breaker_store import move_by_market
from tradewright.risk.breakers import Breaker, BreakerKind, BreakerState, Move, next_move
from tradewright.trading.batch import Trading
from tradewright.trading.failures import Failures
from tradewright.trading.house_counts import Counted, HouseCounts
from tradewright.trading.reference import reference_version, refreshed
from tradewright.trading.state import Desk
from tradewright.trading.writer import SessionOpener

LOOK_EVERY = timedelta(seconds=1)
"""Market time between two looks at who gives prices: each asks for every instrument's session."""

_NOTHING = Decimal(0)
_ONE = Decimal(1)

_Counted = tuple[str, str, Decimal]
"""In which symbol something was counted, under which name, and how much of it."""

_Times = dict[str, list[datetime]]
"""When each provider gave its newest prices."""


class BreakerKeeper:
    """Measures what breakers ask for, under the market's lock; only who writes holds none.

    `providers` are those whose prices this engine hears.
    """

    def __init__(
        self,
        open_session: SessionOpener,
        trading: Trading,
        providers: Collection[str],
        failures: Failures,
    ) -> None:
        self._open_session = open_session
        self._trading = trading
        self._failures = failures
        self._is_behind = False
        self._providers = tuple(providers)
        self._ticks: dict[str, Ticks] = {}
        self._mids: dict[str, Decimal] = {}
        self._tallies: dict[str, Tally] = {}
        self._house_tallies: dict[str, Tally] = {}
        self._house_counts = HouseCounts(open_session, trading)
        self._silences: dict[str, Silence] = {}
        self._silent: dict[str, tuple[datetime, Decimal]] = {}
        self._clear_since: dict[str, datetime] = {}
        self._since: dict[tuple[str, int], datetime] = {}

    def on_price(self, symbol: str) -> list[Move]:
        """Return what the symbol's present price brings about."""
        breakers = self._trading.reference.breakers.measured_with(symbol)
        if not breakers:
            return []
        top = self._trading.market.top(symbol)
        if top is None:
            return self._look_at_all(one for one in breakers if not one.kind.is_of_price)
        self._note_mid(symbol, (top.bid + top.ask) / 2, breakers)
        return self._look_at_all(breakers)

    def on_time(self) -> list[Move]:
        """Return what the market's time brings about while no quote comes."""
        return self._look_at_all(self._trading.reference.breakers.of_health)

    def take(self, desk: Desk) -> list[Move]:
        """Count what a committed batch has dealt and heard, and return what that brings about."""
        counted = self._trading.reference.breakers.counted
        for breaker in counted:
            amounts = _dealt(desk) if breaker.kind is BreakerKind.VOLUME else _answered(desk)
            for symbol, name, amount in amounts:
                if breaker.symbol in {None, symbol}:
                    self._count(breaker, name, amount)
        return self._look_at_all(counted)

    def hear(self) -> None:
        """Count what all engines have booked, and write what that brings about; for the vigil."""
        news = self._house_counts.news()
        with self._trading.market_lock:
            moves = self._take_news(news) if news and self._trading.market.has_begun else []
        self.write(moves)

    def close(self) -> None:
        """Write what is left, and end what the thread of the vigil has left open."""
        self.catch_up()
        self._house_counts.close()

    def write(self, moves: Sequence[Move]) -> None:
        """Write events and take over what now holds; the caller holds no lock of the engine.

        What cannot be written is noted as a failure, and left to `catch_up`; so is all that comes
        after it, for whoever brings a quote must not wait for a server that is away.
        """
        if moves and not self._is_behind:
            self._try_to_write(moves)

    def catch_up(self) -> None:
        """Write the events that could not be written, in the thread of the vigil."""
        with self._trading.market_lock:
            moves = list(self._trading.unwritten.values())
        if moves:
            self._try_to_write(moves)

    def _try_to_write(self, moves: Sequence[Move]) -> None:
        try:
            self._write(moves)
        except (psycopg.Error, TradewrightError) as error:
            self._is_behind = True
            self._failures.note(error)
        else:
            self._is_behind = False

    def _write(self, moves: Sequence[Move]) -> None:
        """Write events, each unless its breaker was moved meanwhile, by us or somebody else."""
        trading = self._trading
        with self._open_session() as session, session.transaction():
            for move in moves:
                move_by_market(session, move)
            reference = refreshed(session, trading.reference, reference_version(session))
        with trading.market_lock:
            if reference.version > trading.reference.version:
                trading.reference = reference
            for move in moves:
                if trading.unwritten.get(move.breaker.id) is move:  # not the one that came after it
                    del trading.unwritten[move.breaker.id]

    def _note_mid(self, symbol: str, mid: Decimal, breakers: Sequence[Breaker]) -> None:
        """Remember a price, and what the house has won or lost by the way it came."""
        now, moved = self._trading.market.now, mid - self._mids.get(symbol, mid)
        self._mids[symbol] = mid
        windows = [one.window for one in breakers if one.kind.is_of_price]
        if windows:
            self._ticks.setdefault(symbol, Ticks()).add(now, mid, max(windows))
        lost = -self._trading.exposures.of(symbol) * moved
        for one in breakers:
            if lost and one.kind is BreakerKind.LOSS:
                currency = self._trading.reference.instruments[symbol].quote_currency
                self._count(one, currency, lost)

    def _take_news(self, news: Sequence[Counted]) -> list[Move]:
        counted = self._trading.reference.breakers.counted
        for breaker in counted:
            tally = self._house_tallies.setdefault(breaker.id, Tally(breaker.window))
            for one in news:
                if one.kind is breaker.kind and breaker.symbol in {None, one.symbol}:
                    tally.add(self._trading.market.now, one.name, one.amount)
        return self._look_at_all(counted)

    def _count(self, breaker: Breaker, name: str, amount: Decimal) -> None:
        tally = self._tallies.setdefault(breaker.id, Tally(breaker.window))
        tally.add(self._trading.market.now, name, amount)

    def _look_at_all(self, breakers: Iterable[Breaker]) -> list[Move]:
        """Return the moves of breakers of which none waits to be written; they hold from now on."""
        known = self._trading.unwritten
        looked_at = [self._look_at(one) for one in breakers]
        moves = [move for move in looked_at if move is not None and move.breaker.id not in known]
        known.update((move.breaker.id, move) for move in moves)
        return moves

    def _look_at(self, breaker: Breaker) -> Move | None:
        if breaker.state is BreakerState.DISABLED:
            return None
        now, measured = self._trading.market.now, self._measure(breaker)
        if measured >= breaker.threshold or breaker.id not in self._clear_since:
            self._clear_since[breaker.id] = now
        since = breaker.state_at or self._since.setdefault((breaker.id, breaker.seq), now)
        clear_since = self._clear_since[breaker.id]
        return next_move(breaker, measured, now, since=since, clear_since=clear_since)

    def _measure(self, breaker: Breaker) -> Decimal:
        if breaker.kind is BreakerKind.LP_HEALTH:
            return self._silence(breaker)
        if breaker.kind.is_of_price:
            ticks = self._ticks.get(breaker.symbol or "")
            return _NOTHING if ticks is None else ticks.measure(breaker.kind, breaker.window)
        now, tallies = self._trading.market.now, (self._tallies, self._house_tallies)
        sums = [kept[breaker.id].sums(now) for kept in tallies if breaker.id in kept]
        if breaker.kind is BreakerKind.ERROR_RATE:
            return max(map(error_rate, sums), default=_NOTHING)
        return max([_NOTHING, *(self._converted(one, breaker) for one in sums)])

    def _converted(self, sums: Mapping[str, Decimal], breaker: Breaker) -> Decimal:
        """Return sums by currency in a breaker's; what never had a rate to it counts nothing."""
        total = _NOTHING
        for currency, amount in sums.items():
            rate = self._trading.market.last_rate(currency, breaker.currency or currency)
            total += _NOTHING if rate is None or not amount else amount * rate.mid
        return total

    def _silence(self, breaker: Breaker) -> Decimal:
        """Return the share of our providers without a price, looked at once in a second."""
        now, known = self._trading.market.now, self._silent.get(breaker.id)
        if known is None or now - known[0] >= LOOK_EVERY:
            self._silent[breaker.id] = known = now, self._silence_now(breaker)
        return known[1]

    def _silence_now(self, breaker: Breaker) -> Decimal:
        reference, market = self._trading.reference, self._trading.market
        quoted: _Times | None = None
        for one in reference.instruments.values():
            if breaker.symbol not in {None, one.symbol} or not one.is_in_session(market.now):
                continue
            quoted = quoted or {code: [] for code in self._enabled()}
            for code, at in market.board.quoted_at(one.symbol).items():
                if code in quoted:
                    quoted[code].append(at)
        silence = self._silences.setdefault(breaker.id, Silence())
        return silence.measure(market.now, breaker.window, quoted)

    def _enabled(self) -> list[str]:
        disabled = self._trading.reference.disabled_providers
        return [code for code in self._providers if code not in disabled]


def _dealt(desk: Desk) -> Iterator[_Counted]:
    """Give what a batch has dealt for clients, in base currency."""
    for row in desk.changes.fills:
        instrument, quantity = desk.changes.orders[str(row[1])].instrument, row[2]
        if isinstance(quantity, Decimal):
            yield instrument.symbol, instrument.base_currency, quantity


def _answered(desk: Desk) -> Iterator[_Counted]:
    """Give the last words of providers that a batch has booked; one that dealt in part is none."""
    for _, request, answer in desk.changes.answers + desk.changes.hedge_answers:
        word = "dealt" if answer.dealt_quantity else "rejected"
        yield request.symbol, word, _ONE
