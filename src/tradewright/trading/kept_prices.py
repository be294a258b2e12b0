"""The last prices are kept, so that an engine that starts while a market is closed knows them.

A closed market quotes nothing, yet what is held in it decides about an account's margin level
(decision 042). Written every few seconds by the thread of the vigil and when the engine stops,
never by a batch; a killed engine loses the last seconds. The newest price of all engines stays.
"""

from contextlib import AbstractContextManager

from tradewright.liquidity.board import Top
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.trading.batch import Trading
from tradewright.trading.presence import Presence


def recall_prices(connection: Session, trading: Trading) -> None:
    """Let the market know the prices that were kept; no other thread has it yet."""
    rows = connection.execute(load_queries("tradewright.trading")["kept_prices"]).fetchall()
    kept = {symbol: Top(bid, ask, quoted_at) for symbol, bid, ask, quoted_at in rows}
    trading.market.recall(kept, lambda symbol: _is_closed(trading, symbol))


def _is_closed(trading: Trading, symbol: str) -> bool:
    instrument = trading.reference.instruments.get(symbol)
    return instrument is not None and not instrument.is_in_session(trading.market.now)


class KeptPrices:
    """What has been written of an engine's prices; belongs to the thread of the vigil."""

    def __init__(self, presence: Presence, lock: AbstractContextManager[object]) -> None:
        self._presence = presence
        self._lock = lock
        self._kept: dict[str, Top] = {}

    def keep(self) -> None:
        """Write the prices that have moved since they were written last.

        Raises:
            psycopg.Error: the session was lost.

        """
        market = self._presence.trading.market
        with self._lock:
            tops = {symbol: market.last_top(symbol) for symbol in market.board.symbols}
        known = {symbol: top for symbol, top in tops.items() if top is not None}
        moved = {symbol: top for symbol, top in known.items() if self._kept.get(symbol) != top}
        if moved:
            self._presence.keep_prices(moved)
            self._kept = known
