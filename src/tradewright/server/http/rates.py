"""How often a key may ask: a bucket of tokens for each, which fills at a steady rate.

The buckets are this process's own, so behind several servers a key has as many. At most
KEYS_MAX are remembered; the one that was used longest ago is forgotten, and was full by then.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

from tradewright.core.clock import monotonic_seconds
from tradewright.core.errors import ErrorCode, StateError

KEYS_MAX = 10_000


@dataclass(slots=True)
class Buckets:
    """Tokens by key: `burst` at most, `per_second` more each second."""

    per_second: float
    burst: int
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, key_id: str) -> None:
        """Take a token.

        Raises:
            StateError: HTTP_RATE_EXCEEDED, with the seconds until there is one.

        """
        now = monotonic_seconds()
        with self._lock:
            left, at = self._left.pop(key_id, (float(self.burst), now))
            left = min(self.burst, left + (now - at) * self.per_second)
            is_there = left >= 1
            self._left[key_id] = (left - 1 if is_there else left, now)
            if len(self._left) > KEYS_MAX:
                self._left.popitem(last=False)
        if not is_there:
            raise self._exceeded((1 - left) / self.per_second)

    def _exceeded(self, seconds: float) -> StateError:
        return StateError(
            ErrorCode.HTTP_RATE_EXCEEDED,
            f"the key has asked more than {self.per_second:g} times a second",
            why=f"{self.burst} requests may come at once, and {self.per_second:g} each second.",
            hint="Ask again after the seconds in the header Retry-After.",
            facts={"retry_after_seconds": max(1, round(seconds + 0.5))},
        )
