"""How many requests are at work at once: of the server, and of each key.

Each has a thread for itself, and waits there for the engine or a session of the database, so no
request that is at work ever waits for a thread. Who comes when all are taken is told so at once.
"""

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock

from tradewright.core.errors import ErrorCode, StateError

SPARE_THREADS = 8
"""For what is no request at work: health, and streams that begin."""


@dataclass(slots=True)
class Works:
    """Counts requests at work: `count_max` of all, `of_key_max` of each key."""

    count_max: int
    of_key_max: int
    _count: int = 0
    _of_keys: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def begin(self) -> "Work":
        """Count a request that begins; it must be ended.

        Raises:
            StateError: SERVER_BUSY.

        """
        with self._lock:
            if self._count < self.count_max:
                self._count += 1
                return Work(self)
        raise StateError(
            ErrorCode.SERVER_BUSY,
            f"the server has {self.count_max} requests at work",
            why="It takes no more at once. Nothing was done.",
            hint="Ask again after the seconds in the header Retry-After.",
        )

    def count_for(self, key_id: str) -> None:
        """Count a request for its key.

        Raises:
            StateError: HTTP_REQUESTS_EXCEEDED.

        """
        with self._lock:
            if self._of_keys[key_id] < self.of_key_max:
                self._of_keys[key_id] += 1
                return
        raise StateError(
            ErrorCode.HTTP_REQUESTS_EXCEEDED,
            f"{self.of_key_max} requests of the key are at work",
            why="A key has no more at once. Nothing was done.",
            hint="Wait for an answer before asking again.",
        )

    def end(self, key_id: str | None) -> None:
        """Count a request that has ended."""
        with self._lock:
            self._count -= 1
            if key_id is not None:
                self._of_keys[key_id] -= 1
                if not self._of_keys[key_id]:
                    del self._of_keys[key_id]


@dataclass(slots=True)
class Work:
    """One request at work."""

    _works: Works
    _key_id: str | None = None
    _is_ended: bool = False

    def belongs_to(self, key_id: str) -> None:
        """Count the request for its key, once it is known.

        Raises:
            StateError: HTTP_REQUESTS_EXCEEDED.

        """
        if self._key_id is None:
            self._works.count_for(key_id)
            self._key_id = key_id

    def end(self) -> None:
        """Count it no more; again is harmless."""
        if not self._is_ended:
            self._is_ended = True
            self._works.end(self._key_id)
