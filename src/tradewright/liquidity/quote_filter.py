"""Refusing the base quotes that must never be traded on, and counting them by reason.

Owns the judgement of one quote against the quotes of the same symbol read before it. How old a
provider's quote may grow, and whether a provider is far off the others, is board.py's question.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from tradewright.liquidity.model import Quote


class Refusal(StrEnum):
    """Why a quote that was read is not traded on, in order of precedence."""

    STALE = "stale"
    CROSSED = "crossed"
    LOCKED = "locked"
    REPEATED = "repeated"


class QuoteFilter:
    """Accepts or refuses the quotes of a stream, each once and in the order they are read.

    One reason is given per quote, the first that holds: `stale` (its time lies before the latest
    time read for its symbol), `crossed` (bid above ask), `locked` (bid equal to ask), `repeated`
    (bid and ask both those of the quote read before it for its symbol).

    "Read before" includes refused quotes, for they too are what the market last said, except
    stale ones: a late arrival says nothing about the present. An equal time is not stale. So a
    quote whose time lies far ahead makes all that follow it stale until time has caught up.
    """

    def __init__(self) -> None:
        self._latest: dict[str, Quote] = {}
        self._refused = dict.fromkeys(Refusal, 0)
        self._read = 0

    @property
    def read(self) -> int:
        """Return the count of all quotes judged, accepted and refused."""
        return self._read

    @property
    def accepted(self) -> int:
        """Return the count of quotes accepted."""
        return self._read - sum(self._refused.values())

    @property
    def refused(self) -> Mapping[Refusal, int]:
        """Return the count of refused quotes under every reason, a live view in precedence."""
        return MappingProxyType(self._refused)

    def accept(self, quote: Quote) -> Refusal | None:
        """Judge one quote and count it: return None to trade on it, or why not to."""
        self._read += 1
        refusal = self._judge(quote)
        if refusal is not Refusal.STALE:
            self._latest[quote.symbol] = quote
        if refusal is not None:
            self._refused[refusal] += 1
        return refusal

    def _judge(self, quote: Quote) -> Refusal | None:
        latest = self._latest.get(quote.symbol)
        if latest is not None and quote.quoted_at < latest.quoted_at:
            return Refusal.STALE
        if quote.bid >= quote.ask:
            return Refusal.CROSSED if quote.bid > quote.ask else Refusal.LOCKED
        if latest is not None and quote.bid == latest.bid and quote.ask == latest.ask:
            return Refusal.REPEATED
        return None
