"""Requests that a provider does not answer: people are told, once, and when it is over.

What a provider has dealt or not is what only it can say. An order that waits for it binds its
client's margin and can be neither canceled nor closed, so somebody must call the provider. A
gateway asks again by itself; here it is counted for how long, in beats of `vigil`.
"""

from collections.abc import Mapping

from tradewright.trading.presence import Presence

UNANSWERED_BEATS = 60
"""Beats until people are told: half a minute, far longer than any provider thinks."""

LOOK_BEATS = 20
"""Beats between two times at which it is looked whether what an engine before has told is over."""


class Unanswered:
    """For how many beats requests have waited; belongs to the thread of `vigil`."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self._beats: dict[str, int] = {}
        self._count = 0
        self._has_told = False

    def exchange(self, awaited: Mapping[str, tuple[str, str]]) -> None:
        """Tell people of requests, with their order and provider, and of those that are answered.

        Raises:
            psycopg.Error: the session was lost; the next beats look again.

        """
        self._beats = {key: self._beats.get(key, 0) + 1 for key in awaited}
        due = [awaited[key] for key, count in self._beats.items() if count == UNANSWERED_BEATS]
        if due:
            self._presence.tell_unanswered(due)
            self._has_told = True
        if self._has_told or self._count % LOOK_BEATS == 0:
            self._has_told = self._presence.end_unanswered() > 0
        self._count += 1
