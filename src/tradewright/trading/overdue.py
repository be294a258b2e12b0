"""Answers of providers that wait too long to be booked: people are told, once, and when it is over.

A client's trade that a provider has dealt, and that is not in his account, is what people must know
at once: a rate is missing, the server refuses it, or our own code fails on it, each time anew. It
goes by the beats of `vigil`, not by the market's time, which stands still without quotes.
"""

from contextlib import AbstractContextManager

from tradewright.trading.presence import Presence
from tradewright.trading.unbooked import Unbooked

OVERDUE_BEATS = 6
"""Beats until people are told: three seconds, of the five that RTS 6, article 16, allows."""


class Overdue:
    """For how many beats answers have waited, by order; belongs to the thread of `vigil`."""

    def __init__(
        self, presence: Presence, unbooked: Unbooked, lock: AbstractContextManager[object]
    ) -> None:
        self._presence = presence
        self._unbooked = unbooked
        self._lock = lock
        self._beats: dict[str, int] = {}
        self._settled: set[str] = set()

    def exchange(self) -> None:
        """Tell people of what has waited too long by now, and of what is booked after all.

        Raises:
            psycopg.Error: the session was lost; both are told with the next beat.

        """
        with self._lock:
            waiting = self._unbooked.waiting
            self._settled |= self._unbooked.take_settled()
        beats = {key: self._beats.get(key, 0) + 1 for key in waiting}
        due = {key: waiting[key] for key, count in beats.items() if count == OVERDUE_BEATS}
        if due:
            self._presence.tell_overdue(due)
        if over := self._settled - waiting.keys():
            self._presence.tell_booked(over)
        self._beats, self._settled = beats, set()
