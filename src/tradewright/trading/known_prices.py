"""What everything was worth last by the database alone: to value by while no engine is asked.

Two records know prices: what engines keep of them every few seconds (`kept_prices`), and the quotes
that the first event of an order keeps. Of each symbol the newer one counts, by the market's time.
Engines value by their own market.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from itertools import chain

from tradewright.liquidity.board import Top
from tradewright.liquidity.market import ONE_TO_ONE, Rate, rate_by
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries


class KnownPrices:
    """Prices and the rates that follow, with a note of those that were asked for."""

    def __init__(self, tops: Mapping[str, Top]) -> None:
        self._tops = tops
        self._used: dict[str, datetime] = {}

    @property
    def oldest_at(self) -> datetime | None:
        """Return when the oldest price was quoted of those that were asked for; None before any."""
        return min(self._used.values(), default=None)

    def top(self, symbol: str) -> Top | None:
        """Return the best bid and ask that are known of a symbol."""
        found = self._tops.get(symbol)
        if found is not None:
            self._used[symbol] = found.quoted_at
        return found

    def rate(self, source: str, target: str) -> Rate | None:
        """Return the rate between two currencies."""
        return ONE_TO_ONE if source == target else rate_by(self.top, source, target)


def read_tops(session: Session) -> dict[str, Top]:
    """Return the newest best bid and ask that the database knows of each symbol."""
    queries = load_queries("tradewright.trading")
    seen = session.execute(queries["last_seen_quotes"]).fetchall()
    kept = session.execute(queries["kept_prices"]).fetchall()
    newest: dict[str, Top] = {}
    for symbol, top in chain(
        ((symbol, _top(quotes)) for symbol, quotes in seen),
        ((symbol, Top(bid, ask, quoted_at)) for symbol, bid, ask, quoted_at in kept),
    ):
        if symbol not in newest or newest[symbol].quoted_at <= top.quoted_at:
            newest[symbol] = top
    return newest


def _top(quotes: Mapping[str, list[str]]) -> Top:
    """Return the best bid and ask of the quotes that an order has seen; the middle if crossed."""
    best_bid = max(quotes.values(), key=lambda quote: Decimal(quote[0]))
    best_ask = min(quotes.values(), key=lambda quote: Decimal(quote[1]))
    bid, ask = Decimal(best_bid[0]), Decimal(best_ask[1])
    quoted_at = min(datetime.fromisoformat(quote[2]) for quote in (best_bid, best_ask))
    if bid < ask:
        return Top(bid, ask, quoted_at)
    return Top((bid + ask) / 2, (bid + ask) / 2, quoted_at)
