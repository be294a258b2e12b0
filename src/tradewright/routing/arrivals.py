"""Which orders come when providers reject: then nobody likes to be on their other side.

An order comes at a reject-prone time if a provider rejects a request in its symbol within a second
of the market's time before or after, for whomever that request was; the order's own rejection
counts, being the plainest. That is known when every provider asked within that second must have
answered. Only what this engine's own batches have booked is seen. Belongs to one thread.
"""

from bisect import bisect_left, insort
from collections import deque
from datetime import datetime, timedelta

from msgspec import Struct

from tradewright.routing.scoring import ANSWER_MS_MAX

WINDOW = timedelta(seconds=1)
"""How near a rejection must be."""

JUDGED_AFTER = WINDOW + timedelta(milliseconds=ANSWER_MS_MAX)
"""By then whoever was asked within the window has said its last word, or is asked no more."""

REMEMBERED_MAX = 10_000
"""Rejections and orders that are remembered for one symbol; the oldest goes first."""


class Arrived(Struct, frozen=True):
    """An order of a client that came to be dealt, and when a provider was rejecting beside it."""

    user_id: str
    order_id: str
    arrived_at: datetime
    rejected_at: datetime | None = None

    @property
    def is_reject_prone(self) -> bool:
        """Return whether it came at a reject-prone time."""
        return self.rejected_at is not None


class Arrivals:
    """The orders that wait to be judged, and the rejections that they are judged by."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[tuple[datetime, str, str]]] = {}
        self._rejections: dict[str, list[datetime]] = {}
        self._judged: list[Arrived] = []

    @property
    def judged_count(self) -> int:
        """Return how many orders have been judged and not been taken yet."""
        return len(self._judged)

    def arrived(self, symbol: str, user_id: str, order_id: str, at: datetime) -> None:
        """Let an order of a user wait until it can be judged."""
        waiting = self._waiting.setdefault(symbol, deque(maxlen=REMEMBERED_MAX))
        waiting.append((at, user_id, order_id))

    def rejected(self, symbol: str, at: datetime) -> None:
        """Remember when a provider has rejected a request; answers may be booked in any order."""
        rejections = self._rejections.setdefault(symbol, [])
        insort(rejections, at)
        if len(rejections) > REMEMBERED_MAX:
            del rejections[0]

    def on_time(self, symbol: str, now: datetime) -> None:
        """Judge the orders that have waited long enough, and forget what no other will need."""
        waiting, rejections = self._waiting.get(symbol), self._rejections.get(symbol, [])
        while waiting and waiting[0][0] < now - JUDGED_AFTER:
            at, user_id, order_id = waiting.popleft()
            next_one = bisect_left(rejections, at - WINDOW)
            is_near = next_one < len(rejections) and rejections[next_one] <= at + WINDOW
            rejected_at = rejections[next_one] if is_near else None
            self._judged.append(Arrived(user_id, order_id, at, rejected_at))
        if rejections:
            needed_from = (waiting[0][0] if waiting else now) - WINDOW
            del rejections[: bisect_left(rejections, needed_from)]

    def take(self) -> tuple[Arrived, ...]:
        """Take what has been judged."""
        judged, self._judged = tuple(self._judged), []
        return judged
