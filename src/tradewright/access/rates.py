"""How often a key may ask, and how often an address may be refused: a bucket of tokens for each.

The buckets are this process's own, so behind several servers a key has as many. At most
BUCKETS_MAX are remembered; the one that was used longest ago is forgotten, and was full by then.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from threading import Lock

from tradewright.core.clock import monotonic_seconds
from tradewright.core.errors import ErrorCode, StateError

BUCKETS_MAX = 10_000

REFUSALS_PER_SECOND = 1.0
REFUSALS_AT_ONCE = 30
"""Whoever shows keys that are refused may go on so, before the database is asked no more."""

GOOD_MAX = 10_000
"""So many that were good are known again, and not held up by who else asks from their address."""

_NETWORK_BITS = 64
"""A client of IPv6 has a whole network of addresses."""


@dataclass(slots=True)
class Buckets:
    """Tokens by name: `burst` at most, `per_second` more each second."""

    per_second: float
    burst: int
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, name: str) -> float:
        """Take a token; return the seconds until there is one if there is none, or else zero."""
        now = monotonic_seconds()
        with self._lock:
            left = self._count(name, now)
            self._left[name] = (left - 1 if left >= 1 else left, now)
            self._left.move_to_end(name)
            if len(self._left) > BUCKETS_MAX:
                self._left.popitem(last=False)
        return self._seconds(left)

    def seconds_left(self, name: str) -> float:
        """Return what `take` would; nothing is taken."""
        with self._lock:
            left = self._count(name, monotonic_seconds())
        return self._seconds(left)

    def _count(self, name: str, now: float) -> float:
        left, at = self._left.get(name, (float(self.burst), now))
        return min(self.burst, left + (now - at) * self.per_second)

    def _seconds(self, left: float) -> float:
        return 0 if left >= 1 else (1 - left) / self.per_second


@dataclass(slots=True)
class KeyRates:
    """How often each key may ask."""

    buckets: Buckets

    def take(self, key_id: str) -> None:
        """Count a request of a key.

        Raises:
            StateError: HTTP_RATE_EXCEEDED, with the seconds until it may ask.

        """
        seconds, rate = self.buckets.take(key_id), self.buckets.per_second
        if seconds:
            what = f"the key has asked more than {rate:g} times a second"
            why = f"{self.buckets.burst} requests may come at once, and {rate:g} each second."
            raise _exceeded(seconds, what, why)


@dataclass(slots=True)
class Strangers:
    """How often an address may show keys and sessions that are refused.

    What was good here before is known by its hash, and goes in whatever its address did.
    """

    refusals: Buckets = field(
        default_factory=lambda: Buckets(REFUSALS_PER_SECOND, REFUSALS_AT_ONCE)
    )
    _good: OrderedDict[bytes, None] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def admit(self, address: str, shown: str) -> None:
        """Refuse what is shown from an address that was refused too often.

        Raises:
            StateError: HTTP_RATE_EXCEEDED.

        """
        seconds = self.refusals.seconds_left(network_of(address))
        with self._lock:
            is_known = _hash(shown) in self._good
        if seconds and not is_known:
            what = "too many keys were refused that came from this address"
            why = f"It may be refused {REFUSALS_AT_ONCE} times at once, and then once a second."
            raise _exceeded(seconds, what, why)

    def refused(self, address: str, shown: str) -> None:
        """Note that what was shown is refused."""
        with self._lock:
            self._good.pop(_hash(shown), None)
        self.refusals.take(network_of(address))

    def known(self, shown: str) -> None:
        """Note that what was shown is good."""
        with self._lock:
            self._good[_hash(shown)] = None
            self._good.move_to_end(_hash(shown))
            if len(self._good) > GOOD_MAX:
                self._good.popitem(last=False)


def _hash(shown: str) -> bytes:
    return hashlib.sha256(shown.encode()).digest()


def network_of(address: str) -> str:
    """Return by what an address is counted; what is no address counts by itself."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if not isinstance(known, IPv6Address) or known.ipv4_mapped is not None:
        return address
    return str(ip_network((known, _NETWORK_BITS), strict=False))


def _exceeded(seconds: float, what: str, why: str) -> StateError:
    return StateError(
        ErrorCode.HTTP_RATE_EXCEEDED,
        what,
        why=why,
        hint="Ask again after the seconds in the header Retry-After.",
        facts={"retry_after_seconds": ceil(seconds)},
    )
