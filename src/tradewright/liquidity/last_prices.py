"""What everything was worth last, however long ago: to ask and value by, not to deal on.

`Market` says what may be dealt on now. While a feed is silent an order may still come to rest, and
what it would bind is reckoned here; what it was reckoned on is kept, with its age, for the record.
A symbol that has had no price since the start may take that of an order in it, for that symbol's
margin alone: what a client asks for is never what anything else is worth.
"""

from datetime import datetime
from decimal import Decimal

from tradewright.liquidity.board import Top
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.market import ONE_TO_ONE, Market, Prices, Rate, rate_by


class LastPrices:
    """The last prices of a market and the rates that follow, with a note of all that was used."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._used: dict[str, Top] = {}
        self._own: dict[str, Decimal] = {}

    @property
    def now(self) -> datetime:
        """Return the market's time."""
        return self._market.now

    def top(self, symbol: str) -> Top | None:
        """Return the best bid and ask of now, or else of when the newest quote came."""
        found = self._market.last_top(symbol)
        if found is not None:
            self._used[symbol] = found
        return found

    def rate(self, source: str, target: str) -> Rate | None:
        """Return the rate between two currencies by the last prices."""
        return ONE_TO_ONE if source == target else rate_by(self.top, source, target)

    def with_own_price(self, instrument: Instrument, price: Decimal) -> Prices:
        """Return these prices, and that of an order for its symbol if it has had none."""
        if self.top(instrument.symbol) is not None:
            return self
        self._own[instrument.symbol] = price
        return _OwnPrice(self, instrument, price)

    def facts(self) -> dict[str, object]:
        """Return what was used, with when each was quoted, for the record."""
        last = {
            symbol: [str(top.bid), str(top.ask), top.quoted_at.isoformat()]
            for symbol, top in sorted(self._used.items())
        }
        own = {symbol: str(price) for symbol, price in sorted(self._own.items())}
        return {"last_prices": last, "own_prices": own}


class LatestPrices:
    """The prices and rates of now, or else the last ones known, without a note: to value by.

    While a market is closed the last ones from before the start are known, too.
    """

    def __init__(self, market: Market) -> None:
        self._market = market

    def top(self, symbol: str) -> Top | None:
        """Return the best bid and ask of now, or else of when the newest quote came."""
        return self._market.known_top(symbol)

    def rate(self, source: str, target: str) -> Rate | None:
        """Return the rate of now, or else the one by the last prices."""
        known = self._market.rate(source, target)
        return known or rate_by(self._market.known_top, source, target)


class _OwnPrice:
    """Last prices in which one instrument, that has had none, is worth what an order says."""

    def __init__(self, prices: LastPrices, instrument: Instrument, price: Decimal) -> None:
        self._prices = prices
        self._instrument = instrument
        self._price = price

    def top(self, symbol: str) -> Top | None:
        if symbol != self._instrument.symbol:
            return self._prices.top(symbol)
        return Top(self._price, self._price, self._prices.now)

    def rate(self, source: str, target: str) -> Rate | None:
        known = self._prices.rate(source, target)
        if known is not None or source != self._instrument.base_currency:
            return known
        quote = self._prices.rate(self._instrument.quote_currency, target)
        return None if quote is None else Rate(self._price * quote.bid, self._price * quote.ask)
