"""The market as the engine sees it now: best prices per symbol and rates between currencies.

Wraps the quote board with the market's own time and remembers what it computed until the next
quote arrives, because every order of a batch asks for the same few prices. Time here is the time
of the newest quote, so that a replayed day ages its quotes as the live one did.
"""

import json
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Protocol

from msgspec import Struct

from tradewright.liquidity.board import QuoteBoard, Top
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.model import Level, ProviderQuote, Side
from tradewright.liquidity.ranking import ByPrice, Ranking
from tradewright.liquidity.recent_mids import RecentMids

BRIDGE_CURRENCY = "USD"
"""Currencies without a pair between them are converted through this one."""

_DAWN = datetime(1970, 1, 1, tzinfo=UTC)


class Rate(Struct, frozen=True, dict=True):
    """Units of one currency for one unit of another: a profit is converted at bid, a loss at ask.

    The worse side for the client is taken both ways (domain rule: conservative conversion).
    """

    bid: Decimal
    ask: Decimal

    @cached_property
    def mid(self) -> Decimal:
        """The middle, by which notional and margin are converted; asked for by every order."""
        return (self.bid + self.ask) / 2


ONE_TO_ONE = Rate(Decimal(1), Decimal(1))


class Prices(Protocol):
    """What symbols and currencies are worth: of now (`Market`), or last (`last_prices`)."""

    def top(self, symbol: str) -> Top | None:
        """Return the best bid and ask of a symbol; None without a price."""

    def rate(self, source: str, target: str) -> Rate | None:
        """Return the rate from one currency to another; None without one."""


class Market:
    """Best prices and conversion rates at the market's own time; belongs to one thread."""

    def __init__(self, board: QuoteBoard, ranking: Ranking | None = None) -> None:
        self.board = board
        self._ranking = ranking or ByPrice()
        self._ranked: dict[tuple[str, Side], list[Level]] = {}
        self._explanations: dict[tuple[str, Side], str] = {}
        self.now = _DAWN
        self._tops: dict[str, Top | None] = {}
        self._levels: dict[tuple[str, Side], list[Level]] = {}
        self._rates: dict[tuple[str, str], Rate | None] = {}
        self._last_rates: dict[tuple[str, str], Rate] = {}
        self._descriptions: dict[str, str] = {}
        self._recent = RecentMids()
        self._recalled: Mapping[str, Top] = {}
        self._is_closed: Callable[[str], bool] = lambda _: False

    @property
    def has_begun(self) -> bool:
        """Return whether a quote has told what time it is."""
        return self.now > _DAWN

    def advance(self, now: datetime) -> None:
        """Move the market's time forward; it never goes back."""
        if now > self.now:
            self.now = now
            self._forget()

    def learn(self, age_max: Mapping[str, timedelta], disabled: Collection[str]) -> None:
        """Let quotes of each symbol be as old as is said now, pass over these providers only."""
        self._forget()
        self.board.learn(age_max, disabled)

    def update(self, quote: ProviderQuote) -> bool:
        """Take a provider's quote; return whether it may be traded on."""
        self._forget()
        return self.board.update(quote)

    def note_mid(self, symbol: str) -> Decimal | None:
        """Remember where the middle stands now, for `volatility`, and return it if there is one."""
        top = self.top(symbol)
        if top is None:
            return None
        mid = (top.bid + top.ask) / 2
        self._recent.note(symbol, mid, self.now)
        return mid

    def volatility(self, symbol: str) -> Decimal | None:
        """Return the range of the noted mids of the last minute in bps; None when none was."""
        return self._recent.range_bps(symbol, self.now)

    def top(self, symbol: str) -> Top | None:
        """Return the best tradable bid and ask of a symbol, or None when nothing is tradable."""
        if symbol not in self._tops:
            self._tops[symbol] = self.board.top(symbol, self.now)
        return self._tops[symbol]

    def last_top(self, symbol: str) -> Top | None:
        """Return the top now, or the last one known: for valuing what must be booked."""
        return self.top(symbol) or self.board.last_top(symbol)

    def recall(self, tops: Mapping[str, Top], is_closed: Callable[[str], bool]) -> None:
        """Remember prices from before the start, which count while their market is closed."""
        self._recalled, self._is_closed = tops, is_closed

    def known_top(self, symbol: str) -> Top | None:
        """Return the last top, of a closed market also from before the start: to value by.

        In session a price from before the start says nothing: it may be hours old, and the next
        one comes at once.
        """
        found = self.last_top(symbol)
        if found is None and symbol in self._recalled and self._is_closed(symbol):
            return self._recalled[symbol]
        return found

    def levels(self, symbol: str, side: Side) -> list[Level]:
        """Return what an order of `side` can deal on, in the order in which it is dealt on."""
        key = (symbol, side)
        if key not in self._ranked:
            offers, top = self._offers(symbol, side), self.top(symbol)
            mid = None if top is None else (top.bid + top.ask) / 2
            self._ranked[key] = self._ranking.rank(offers, side, mid) if mid else []
        return self._ranked[key]

    def explain(self, symbol: str, side: Side) -> str:
        """Return every level of a side with its score as JSON text, for the record."""
        key = (symbol, side)
        if key not in self._explanations:
            offers, top = self._offers(symbol, side), self.top(symbol)
            mid = None if top is None else (top.bid + top.ask) / 2
            self._explanations[key] = self._ranking.explain(offers, side, mid) if mid else "[]"
        return self._explanations[key]

    def rank_again(self) -> None:
        """Forget the order of levels, because what it depends on has changed."""
        self._ranked.clear()
        self._explanations.clear()

    def describe(self, symbol: str) -> str:
        """Return every provider's tradable quote of a symbol as JSON text, for the record."""
        if symbol not in self._descriptions:
            bids = {level.provider: level for level in self._offers(symbol, Side.SELL)}
            asks = self._offers(symbol, Side.BUY)
            self._descriptions[symbol] = json.dumps(
                {
                    ask.provider: [
                        str(bids[ask.provider].price),
                        str(ask.price),
                        ask.quoted_at.isoformat(),
                    ]
                    for ask in asks
                }
            )
        return self._descriptions[symbol]

    def rate(self, source: str, target: str) -> Rate | None:
        """Return the rate from one currency to another: direct, inverse, or through the bridge.

        None when no tradable pair leads there: no rate, no trade.
        """
        if source == target:
            return ONE_TO_ONE
        key = (source, target)
        if key not in self._rates:
            rate = rate_by(self.top, source, target)
            self._rates[key] = rate
            if rate is not None:
                self._last_rates[key] = rate
        return self._rates[key]

    def last_rate(self, source: str, target: str) -> Rate | None:
        """Return the rate now, or the last one known: for booking what has already been dealt.

        The last that was asked for; of those that nobody asked for, that of the last quotes.
        """
        known = self.rate(source, target) or self._last_rates.get((source, target))
        return known or rate_by(self.last_top, source, target)

    def _offers(self, symbol: str, side: Side) -> list[Level]:
        """Return the tradable levels of a side, the best price first."""
        key = (symbol, side)
        if key not in self._levels:
            self._levels[key] = self.board.levels(symbol, side, self.now)
        return self._levels[key]

    def _forget(self) -> None:
        self._tops.clear()
        self._levels.clear()
        self._rates.clear()
        self._descriptions.clear()
        self.rank_again()


def is_priced(prices: Prices, instrument: Instrument, currency: str) -> bool:
    """Return whether prices value a position in an instrument in a currency."""
    return (
        prices.top(instrument.symbol) is not None
        and prices.rate(instrument.base_currency, currency) is not None
        and prices.rate(instrument.quote_currency, currency) is not None
    )


TopOf = Callable[[str], Top | None]
"""Where the prices that rates are made of come from."""


def rate_by(top: TopOf, source: str, target: str) -> Rate | None:
    """Return a rate by some prices: direct, inverse, or through the bridge."""
    return _pair(top, source, target) or _bridged(top, source, target)


@lru_cache(maxsize=4096)
def pairs_between(target: str, *sources: str) -> frozenset[str]:
    """Return the pairs that may lead from some currencies into another, directly or bridged."""
    return frozenset(
        pair
        for one in (*sources, target)
        for pair in (one + BRIDGE_CURRENCY, BRIDGE_CURRENCY + one, one + target, target + one)
    )


def _pair(top: TopOf, source: str, target: str) -> Rate | None:
    direct = top(source + target)
    if direct is not None:
        return Rate(direct.bid, direct.ask)
    inverse = top(target + source)
    if inverse is not None and inverse.bid > 0:  # in a stress prices may fall to nothing
        return Rate(1 / inverse.ask, 1 / inverse.bid)
    return None


def _bridged(top: TopOf, source: str, target: str) -> Rate | None:
    if BRIDGE_CURRENCY in (source, target):
        return None
    first = _pair(top, source, BRIDGE_CURRENCY)
    second = _pair(top, BRIDGE_CURRENCY, target)
    if first is None or second is None:
        return None
    return Rate(first.bid * second.bid, first.ask * second.ask)
