"""The board of what every liquidity provider offers now, ranked for one side of one symbol.

Owns the rule of the tradable quote: an enabled provider, quoted within the age allowed, bid
above zero and below ask, sizes above zero, sequence rising, and within a collar of the others.
Which provider an order goes to is decided in `routing`, from the levels given here. A board belongs
to one thread.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from types import MappingProxyType

from tradewright.liquidity.model import Level, ProviderQuote, Side

QUOTE_AGE_MAX = timedelta(seconds=5)
COLLAR_BPS = Decimal(50)
PRIORITY_OF_UNRANKED = 1_000

_BPS = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class Top:
    """The best tradable bid and ask of a symbol over all providers; bid is never above ask.

    `quoted_at` is the older of the two quotes behind it, so that its age is the honest one.
    """

    bid: Decimal
    ask: Decimal
    quoted_at: datetime


class QuoteRefusal(StrEnum):
    """Why the board did not take a provider's quote, in order of precedence."""

    OUT_OF_SEQUENCE = "out_of_sequence"
    NOT_POSITIVE = "not_positive"
    CROSSED_OR_LOCKED = "crossed_or_locked"
    NO_SIZE = "no_size"


class QuoteBoard:
    """The newest quote of each provider and symbol, and who may be traded with.

    `age_max` is one age for all symbols, or an age by symbol (5 seconds for those not named).
    Among equal prices a provider of lower `priorities` comes first, then the lower code; a
    provider without a priority comes after those with one. A quote whose mid is further than
    `collar_bps` from the median mid of the other providers is passed over (of an even number of
    others: from both of the two in the middle and outside them); with fewer than two others
    there is no median to trust, and no collar. Prices at zero or below are real (WTI, -37.63 on
    20-04-2020), but nothing can be booked at one: only a board that values what might be, and that
    nobody deals on, `takes_any_price`.
    """

    def __init__(
        self,
        age_max: timedelta | Mapping[str, timedelta] = QUOTE_AGE_MAX,
        *,
        priorities: Mapping[str, int] | None = None,
        collar_bps: Decimal = COLLAR_BPS,
        takes_any_price: bool = False,
    ) -> None:
        self._age_max = age_max
        self._priorities = dict(priorities or {})
        self._collar = collar_bps / _BPS
        self._takes_any_price = takes_any_price
        self._disabled: set[str] = set()
        self._sequences: dict[tuple[str, str], int] = {}
        self._quotes: dict[str, dict[str, ProviderQuote]] = {}
        self._refused = dict.fromkeys(QuoteRefusal, 0)
        self._taken = 0

    @property
    def taken(self) -> int:
        """Return the count of quotes taken."""
        return self._taken

    @property
    def refused(self) -> Mapping[QuoteRefusal, int]:
        """Return the count of quotes not taken under every reason, a live view."""
        return MappingProxyType(self._refused)

    @property
    def symbols(self) -> Collection[str]:
        """Return what has been quoted."""
        return self._quotes.keys()

    def update(self, quote: ProviderQuote) -> bool:
        """Take a provider's quote and return True, or count why not and return False.

        Old news (a sequence that did not rise) changes nothing. A new quote that is crossed,
        locked, without size on a side, or at zero or below withdraws the provider's price of the
        symbol: it has superseded the one before, and nothing may be traded on either.
        """
        key = (quote.provider, quote.symbol)
        if quote.sequence <= self._sequences.get(key, quote.sequence - 1):
            return self._refuse(QuoteRefusal.OUT_OF_SEQUENCE)
        self._sequences[key] = quote.sequence
        quotes = self._quotes.setdefault(quote.symbol, {})
        is_bookable = self._takes_any_price or min(quote.bid, quote.ask) > 0
        if is_bookable and quote.bid < quote.ask and quote.bid_size > 0 and quote.ask_size > 0:
            quotes[quote.provider] = quote
            self._taken += 1
            return True
        quotes.pop(quote.provider, None)
        if not is_bookable:
            return self._refuse(QuoteRefusal.NOT_POSITIVE)
        if quote.bid >= quote.ask:
            return self._refuse(QuoteRefusal.CROSSED_OR_LOCKED)
        return self._refuse(QuoteRefusal.NO_SIZE)

    def learn(self, age_max: Mapping[str, timedelta], disabled: Collection[str]) -> None:
        """Let quotes of each symbol be as old as is said now, pass over these providers only."""
        self._age_max, self._disabled = age_max, set(disabled)

    def disable(self, provider: str) -> None:
        """Pass over a provider until it is enabled again; its quotes are still taken."""
        self._disabled.add(provider)

    def enable(self, provider: str) -> None:
        """Trade with a provider again, on its newest quote if that is fresh."""
        self._disabled.discard(provider)

    def levels(self, symbol: str, side: Side, now: datetime) -> list[Level]:
        """Return what a client's order of `side` can trade on, the best price first.

        A buy sees asks from low to high, a sell sees bids from high to low.
        """
        quotes = self._tradable(symbol, now)
        if side is Side.BUY:
            levels = [Level(q.provider, q.ask, q.ask_size, q.quoted_at) for q in quotes]
            levels.sort(key=lambda level: (level.price, *self._rank(level.provider)))
        else:
            levels = [Level(q.provider, q.bid, q.bid_size, q.quoted_at) for q in quotes]
            levels.sort(key=lambda level: (-level.price, *self._rank(level.provider)))
        return levels

    def top(self, symbol: str, now: datetime) -> Top | None:
        """Return the best tradable bid and ask, or None when no provider is tradable.

        The best bid of one provider may lawfully be above the best ask of another. Both sides
        are then set to the middle, the bid rounded down and the ask up to the finer tick of the
        two: a client deals at no worse than the middle, the house can cover on both sides, and
        nobody is paid for buying and selling at once.
        """
        quotes = self._tradable(symbol, now)
        if not quotes:
            return None
        bid = max(quote.bid for quote in quotes)
        ask = min(quote.ask for quote in quotes)
        bid_quoted_at = max(quote.quoted_at for quote in quotes if quote.bid == bid)
        ask_quoted_at = max(quote.quoted_at for quote in quotes if quote.ask == ask)
        quoted_at = min(bid_quoted_at, ask_quoted_at)
        if bid <= ask:
            return Top(bid, ask, quoted_at)
        middle, tick = (bid + ask) / 2, bid - ask
        return Top(
            middle.quantize(tick, ROUND_FLOOR), middle.quantize(tick, ROUND_CEILING), quoted_at
        )

    def last_top(self, symbol: str) -> Top | None:
        """Return what `top` was when the newest quote of a symbol came, however long ago."""
        times = [quote.quoted_at for quote in self._quotes.get(symbol, {}).values()]
        return self.top(symbol, max(times)) if times else None

    def quoted_at(self, symbol: str) -> dict[str, datetime]:
        """Return when each provider gave its newest price of a symbol; none that is withdrawn."""
        return {code: quote.quoted_at for code, quote in self._quotes.get(symbol, {}).items()}

    def _tradable(self, symbol: str, now: datetime) -> list[ProviderQuote]:
        """Return the tradable quotes of a symbol, in no order that means anything.

        A provider's clock may run ahead of ours: a quote from the future is tradable as far
        ahead as a quote from the past is behind.
        """
        age_max = self._age_max
        if not isinstance(age_max, timedelta):
            age_max = age_max.get(symbol, QUOTE_AGE_MAX)
        oldest, newest = now - age_max, now + age_max
        fresh = [
            quote
            for quote in self._quotes.get(symbol, {}).values()
            if oldest <= quote.quoted_at <= newest and quote.provider not in self._disabled
        ]
        return fresh if len(fresh) < 3 else self._within_collar(fresh)

    def _within_collar(self, quotes: list[ProviderQuote]) -> list[ProviderQuote]:
        """Return the quotes near the median of the others, each judged against all others."""
        mids = [(quote.bid + quote.ask) / 2 for quote in quotes]
        kept = []
        for place, quote in enumerate(quotes):
            low, high = _medians(mids[:place] + mids[place + 1 :])
            if low - abs(low) * self._collar <= mids[place] <= high + abs(high) * self._collar:
                kept.append(quote)
        return kept

    def _rank(self, provider: str) -> tuple[int, str]:
        return self._priorities.get(provider, PRIORITY_OF_UNRANKED), provider

    def _refuse(self, refusal: QuoteRefusal) -> bool:
        self._refused[refusal] += 1
        return False


def _medians(values: list[Decimal]) -> tuple[Decimal, Decimal]:
    """Return the two values in the middle, which are one when the count is odd.

    Their mean would let one provider far off, among three, drag the median of the other two
    away and take every provider off the board.
    """
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[(len(ordered) - 1) // 2], ordered[half]
