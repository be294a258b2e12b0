"""The middle prices of the last minute by symbol: how far they have ranged.

The range is what `routing` calls volatility: it needs no model and no root, and its window is
market time, so that a replayed day measures what the live one did. Belongs to one thread.
"""

from collections import deque
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct

WINDOW = timedelta(seconds=60)

_BPS = Decimal(10_000)


class _Ends(Struct):
    """Mids that may still become the largest or smallest of a window, oldest first."""

    highs: deque[tuple[datetime, Decimal]]
    lows: deque[tuple[datetime, Decimal]]


class RecentMids:
    """Remembers mids for a minute; a mid costs the same however many came before it."""

    def __init__(self) -> None:
        self._ends: dict[str, _Ends] = {}

    def note(self, symbol: str, mid: Decimal, at: datetime) -> None:
        """Take the middle price at a time that is not before the one noted last."""
        ends = self._ends.get(symbol)
        if ends is None:
            ends = self._ends[symbol] = _Ends(deque(), deque())
        oldest = at - WINDOW
        for kept, sign in ((ends.highs, 1), (ends.lows, -1)):
            while kept and (mid - kept[-1][1]) * sign >= 0:
                kept.pop()
            kept.append((at, mid))
            while kept[0][0] < oldest:
                kept.popleft()

    def range_bps(self, symbol: str, now: datetime) -> Decimal | None:
        """Return highest less lowest mid of the last minute in basis points of the lowest.

        None when no mid was noted in it.
        """
        ends = self._ends.get(symbol)
        if ends is None:
            return None
        oldest = now - WINDOW
        highs = [mid for at, mid in ends.highs if at >= oldest]
        lows = [mid for at, mid in ends.lows if at >= oldest]
        if not highs or not lows:
            return None
        return (highs[0] - lows[0]) / lows[0] * _BPS
