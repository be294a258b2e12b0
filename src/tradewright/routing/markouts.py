"""How the market moves after a client's fill: the measure behind toxicity.

The markout of a fill after a time t is s * (mid(t) - price) / price in basis points: what the
client has gained against the middle by then, and whoever took the other side has lost (domain
rule 1.7). It is measured at 1, 10 and 60 seconds of market time; mid(t) is the middle that stood
at that instant, which is known when the first later one arrives. Belongs to one thread.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from msgspec import Struct

HORIZONS_S = (1, 10, 60)
MARKOUT_BPS_MAX = Decimal(1_000)
"""A markout is cut off here, so that one price gap does not make a client."""

TRADES_MIN = 50
"""With fewer trades measured nothing is said about a client."""

DECAY_TRADES = 200
"""Beyond so many trades each new one counts for one part in so many, and older ones fade."""

PENDING_MAX = 100_000
"""Fills that may wait to be measured for one symbol; more are not measured."""

_BPS = Decimal(10_000)
_QUANTUM = Decimal("0.0001")


class Measured(Struct, frozen=True):
    """One fill, measured at every horizon."""

    user_id: str
    markouts: tuple[Decimal, ...]


class ClientProfile(Struct, frozen=True):
    """What has been measured of a client: how many trades, and their decayed mean markouts."""

    trade_count: int = 0
    markouts: tuple[Decimal, ...] = (Decimal(0), Decimal(0), Decimal(0))

    @property
    def toxicity(self) -> Decimal | None:
        """Return the largest of the mean markouts; None while too few trades are measured."""
        return max(self.markouts) if self.trade_count >= TRADES_MIN else None


NOTHING_MEASURED = ClientProfile()


class _Fill(Struct):
    """A fill under way through its horizons."""

    user_id: str
    sign: int
    price: Decimal
    dealt_at: datetime
    markouts: list[Decimal]


class Markouts:
    """The fills whose markouts are being measured."""

    def __init__(self) -> None:
        self._waiting: dict[str, Sequence[deque[_Fill]]] = {}
        self._mids: dict[str, Decimal] = {}
        self._measured: list[Measured] = []

    @property
    def measured_count(self) -> int:
        """Return how many fills have been measured and not been taken yet."""
        return len(self._measured)

    def dealt(self, symbol: str, fill: tuple[str, int, Decimal], at: datetime) -> None:
        """Begin to measure a fill: whose, +1 for a buy or -1, and its price."""
        queues = self._waiting.get(symbol)
        if queues is None:
            queues = self._waiting[symbol] = [deque() for _ in HORIZONS_S]
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
                fill.markouts.append(_markout(fill, before))
                if place + 1 < len(HORIZONS_S):
                    queues[place + 1].append(fill)
                else:
                    self._measured.append(Measured(fill.user_id, tuple(fill.markouts)))

    def take(self) -> tuple[Measured, ...]:
        """Take what has been measured."""
        measured, self._measured = tuple(self._measured), []
        return measured


def with_trades(
    profiles: Mapping[str, ClientProfile], measured: Sequence[Measured]
) -> dict[str, ClientProfile]:
    """Return the profiles of the users that were measured, with their new trades."""
    changed: dict[str, ClientProfile] = {}
    for one in measured:
        profile = changed.get(one.user_id) or profiles.get(one.user_id, NOTHING_MEASURED)
        count = profile.trade_count + 1
        weight = min(count, DECAY_TRADES)
        means = [
            (mean + (new - mean) / weight).quantize(_QUANTUM, rounding=ROUND_HALF_EVEN)
            for mean, new in zip(profile.markouts, one.markouts, strict=True)
        ]
        changed[one.user_id] = ClientProfile(count, tuple(means))
    return changed


def _markout(fill: _Fill, mid: Decimal) -> Decimal:
    """Return the markout in basis points, to four decimals."""
    moved = fill.sign * (mid - fill.price) / fill.price * _BPS
    return min(max(moved, -MARKOUT_BPS_MAX), MARKOUT_BPS_MAX).quantize(
        _QUANTUM, rounding=ROUND_HALF_EVEN
    )
