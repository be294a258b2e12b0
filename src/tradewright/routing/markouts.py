"""How the market moves after a client's fill: the first measure behind toxicity.

The markout of a fill after a time t is s * (mid(t) - price) / price in basis points: what the
client has gained against the middle by then, and whoever took the other side has lost (domain
rule 1.7). It is measured at 1, 10 and 60 seconds of market time; mid(t) is the middle that stood
at that instant, which is known when the first later one arrives. `profiles` makes a client's means
of them. Belongs to one thread.
"""

from collections import deque
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from msgspec import Struct

HORIZONS_S = (1, 10, 60)
MARKOUT_BPS_MAX = Decimal(1_000)
"""A markout is cut off here, so that one price gap does not make a client."""

PENDING_MAX = 100_000
"""Fills that may wait to be measured for one symbol; more are not measured."""

_BPS = Decimal(10_000)
_QUANTUM = Decimal("0.0001")


class Measured(Struct, frozen=True):
    """One fill, measured at every horizon: the middles that stood then, and what they make of it.

    `dealt_at` is the market time that the horizons count from.
    """

    user_id: str
    fill_id: str
    dealt_at: datetime
    mids: tuple[Decimal, ...]
    markouts: tuple[Decimal, ...]


class _Fill(Struct):
    """A fill under way through its horizons."""

    user_id: str
    fill_id: str
    sign: int
    price: Decimal
    dealt_at: datetime
    mids: list[Decimal]


class Markouts:
    """The fills whose markouts are being measured."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[deque[_Fill], ...]] = {}
        self._mids: dict[str, Decimal] = {}
        self._measured: list[Measured] = []

    @property
    def measured_count(self) -> int:
        """Return how many fills have been measured and not been taken yet."""
        return len(self._measured)

    def dealt(self, symbol: str, fill: tuple[str, str, int, Decimal], at: datetime) -> None:
        """Begin to measure a fill: whose, its id, +1 for a buy or -1, and its price."""
        queues = self._waiting.get(symbol)
        if queues is None:
            queues = self._waiting[symbol] = tuple(deque[_Fill]() for _ in HORIZONS_S)
        if sum(map(len, queues)) < PENDING_MAX:
            queues[0].append(_Fill(*fill, at, []))

    def on_mid(self, symbol: str, mid: Decimal, at: datetime) -> None:
        """Take the middle of a symbol: what was due before it is measured at the one before."""
        before = self._mids.get(symbol, mid)
        self._mids[symbol] = mid
        queues = self._waiting.get(symbol)
        if queues is None:
            return
        for place, seconds in enumerate(HORIZONS_S):
            due = at - timedelta(seconds=seconds)
            while queues[place] and queues[place][0].dealt_at < due:
                fill = queues[place].popleft()
                fill.mids.append(before)
                if place + 1 < len(HORIZONS_S):
                    queues[place + 1].append(fill)
                else:
                    self._measured.append(_measured(fill))

    def take(self) -> tuple[Measured, ...]:
        """Take what has been measured."""
        measured, self._measured = tuple(self._measured), []
        return measured


def _measured(fill: _Fill) -> Measured:
    markouts = tuple(_markout(fill, mid) for mid in fill.mids)
    return Measured(fill.user_id, fill.fill_id, fill.dealt_at, tuple(fill.mids), markouts)


def _markout(fill: _Fill, mid: Decimal) -> Decimal:
    """Return the markout in basis points, to four decimals."""
    moved = fill.sign * (mid - fill.price) / fill.price * _BPS
    return min(max(moved, -MARKOUT_BPS_MAX), MARKOUT_BPS_MAX).quantize(
        _QUANTUM, rounding=ROUND_HALF_EVEN
    )
