"""What a watch has proposed and no batch has answered: nothing is proposed twice at a time.

A key is in flight from its proposal until that is answered, whether it was booked, came to nothing
or failed. What failed, and what something stands in the way of that may last, is put off for a
while of the market's time (decision 030). Belongs to the watch that proposes.
"""

from typing import TYPE_CHECKING

from tradewright.core.errors import TradewrightError
from tradewright.liquidity.market import Market
from tradewright.trading.batch import Answer
from tradewright.trading.model import NothingDone
from tradewright.trading.unbooked import RETRY_AFTER

if TYPE_CHECKING:
    from datetime import datetime


class Outstanding:
    """The keys of a watch that are in flight, and those that are put off; one thread at a time."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._in_flight: set[str] = set()
        self._put_off: dict[str, datetime] = {}

    def begin(self, key: str) -> bool:
        """Take a key in flight; return False if it must not be proposed now."""
        if self.holds(key):
            return False
        self._in_flight.add(key)
        return True

    def holds(self, key: str) -> bool:
        """Return whether a key is in flight or put off."""
        return key in self._in_flight or key in self._put_off

    def answered(self, key: str, *, put_off: bool) -> bool:
        """Let a key that was in flight be proposed again; return whether that may be at once."""
        if key not in self._in_flight:
            return False
        self._in_flight.remove(key)
        if put_off:
            self._put_off[key] = self._market.now + RETRY_AFTER
        return not put_off

    def changed(self, key: str) -> None:
        """Put a key off no longer: what stood in its way may be gone."""
        self._put_off.pop(key, None)

    def due(self) -> list[str]:
        """Return the keys that were put off and may be proposed again from now on."""
        due: list[str] = []
        for key, at in self._put_off.items():
            if at > self._market.now:
                break
            due.append(key)
        for key in due:
            del self._put_off[key]
        return due


def is_put_off(answer: Answer) -> bool:
    """Return whether what was answered so would be answered so again at once."""
    if isinstance(answer, NothingDone):
        return answer.may_last
    return isinstance(answer, TradewrightError)
