"""Circuit breakers with each quote: measured in memory, moved in the database, one event each.

Whoever brings the quote writes the event, before anything that the quote sets off is booked.
Several engines may see the same market: the first writes, the others read what it has written.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from tradewright.risk.breaker_store import move_by_market
from tradewright.risk.breakers import Breaker, BreakerState, Move, Ticks, next_move
from tradewright.trading.batch import Trading
from tradewright.trading.reference import reference_version, refreshed
from tradewright.trading.writer import SessionOpener


class BreakerKeeper:
    """Measures what breakers ask for; `on_price` belongs to one thread at a time."""

    def __init__(self, open_session: SessionOpener, trading: Trading) -> None:
        self._open_session = open_session
        self._trading = trading
        self._ticks: dict[str, Ticks] = {}
        self._clear_since: dict[str, datetime] = {}
        self._since: dict[tuple[str, int], datetime] = {}

    def on_price(self, symbol: str) -> list[Move]:
        """Return what the symbol's present price brings about."""
        breakers = self._trading.reference.breakers.measured.get(symbol)
        top = self._trading.market.top(symbol) if breakers else None
        if top is None or not breakers:
            return []
        now = self._trading.market.now
        ticks = self._ticks.setdefault(symbol, Ticks())
        longest = max((one.window for one in breakers), default=timedelta())
        ticks.add(now, (top.bid + top.ask) / 2, longest)
        moves = [self._look_at(one, ticks, now) for one in breakers]
        return [move for move in moves if move is not None]

    def write(self, moves: Sequence[Move]) -> None:
        """Write events and take over what now holds; the caller holds no lock of the engine.

        Raises:
            psycopg.Error: nothing was written; the next quote brings the same about again.

        """
        if not moves:
            return
        with self._open_session() as session, session.transaction():
            for move in moves:
                move_by_market(session, move)
            known = self._trading.reference
            self._trading.reference = refreshed(session, known, reference_version(session))

    def _look_at(self, breaker: Breaker, ticks: Ticks, now: datetime) -> Move | None:
        if breaker.state is BreakerState.DISABLED:
            return None
        measured = ticks.measure(breaker.kind, breaker.window)
        if measured >= breaker.threshold or breaker.id not in self._clear_since:
            self._clear_since[breaker.id] = now
        since = breaker.state_at or self._since.setdefault((breaker.id, breaker.seq), now)
        clear_since = self._clear_since[breaker.id]
        return next_move(breaker, measured, now, since=since, clear_since=clear_since)
