"""A value that is read once for all who look, and kept for some seconds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

from tradewright.core.clock import monotonic_seconds

_T = TypeVar("_T")


@dataclass(slots=True)
class Kept(Generic[_T]):
    """What is dear to read: one reads it at a time, and who comes meanwhile is given the last.

    Only the first of all waits for another's reading. What is kept says itself of when it is.
    """

    seconds: float
    _turn: Lock = field(default_factory=Lock)
    _last: tuple[_T, float] | None = None
    """The value, and when its reading had ended."""

    def get(self, read: Callable[[], _T]) -> _T:
        """Return the kept value, or read it anew when it is older than its seconds."""
        last = self._last
        if not self._turn.acquire(blocking=last is None):
            assert last is not None  # noqa: S101 (else it would have waited)
            return last[0]
        try:
            last = self._last
            if last is None or monotonic_seconds() - last[1] >= self.seconds:
                last = read(), monotonic_seconds()
                self._last = last
            return last[0]
        finally:
            self._turn.release()
