"""Which prices are asked for, which are refused, and when those are asked for again.

A provider may refuse a request for one symbol's sake (35=Y), and FIX 4.4 does not say for which. So
what a refused request has brought no price of is asked for again alone, each after a pause that
doubles up to ten minutes, and at once when what is traded has changed. Pure: times in, messages
out; `prices` sends them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from tradewright.liquidity.fix import application
from tradewright.liquidity.fix.codec import Message

PAUSE_MIN, PAUSE_MAX = timedelta(seconds=2), timedelta(minutes=10)
"""How long a refused symbol rests; each pause is twice the one before."""

REFUSALS_TOLD = 3
"""So many refusals of a symbol alone are more than a moment's."""


@dataclass(slots=True)
class _Refusal:
    """How often a symbol was refused alone, why, and when it is asked for again, if it is to be."""

    count: int = 0
    why: str = ""
    again_at: datetime | None = None

    @property
    def pause(self) -> timedelta:
        """Return how long it rests now."""
        doublings: int = 2 ** min(self.count, 16)
        return min(PAUSE_MIN * doublings, PAUSE_MAX)


@dataclass(slots=True)
class Subscriptions:
    """The symbols of one provider; one thread at a time."""

    symbols: list[str]
    _asked: dict[str, Sequence[str]] = field(default_factory=dict)
    _priced: set[str] = field(default_factory=set)
    _refused: dict[str, _Refusal] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def priced(self) -> set[str]:
        """Return the symbols of which a price has come since the logon."""
        return self._priced

    @property
    def kept_refused(self) -> dict[str, str]:
        """Return the symbols that are refused again and again, with the provider's last words."""
        return {
            symbol: refusal.why
            for symbol, refusal in self._refused.items()
            if refusal.count >= REFUSALS_TOLD
        }

    def begin(self) -> list[Message]:
        """Ask for everything, in one request: a session has begun."""
        for refusal in self._refused.values():
            refusal.again_at = None
        return [self._ask_for(self.symbols)]

    def end(self) -> None:
        """Take note that the session has ended, and with it every subscription."""
        self._asked.clear()
        self._priced.clear()

    def follow(self, symbols: Sequence[str]) -> list[Message]:
        """Ask for these too, and at once for what was refused of them."""
        new = [one for one in symbols if one not in self.symbols]
        again = [one for one in symbols if one in self._refused]
        self.symbols += new
        for symbol in again:
            self._refused[symbol].again_at = None
        return [*([self._ask_for(new)] if new else []), *(self._alone(one) for one in again)]

    def take_price(self, symbol: str) -> None:
        """Take note of a price."""
        self._priced.add(symbol)
        self._refused.pop(symbol, None)

    def take_refusal(self, message: Message, now: datetime) -> None:
        """Take note of a refused request; of one for a single symbol, that this is refused."""
        symbols = self._asked.pop(message.get(262) or message.text(379), ())
        is_alone = len(symbols) == 1
        for symbol in symbols:
            if is_alone:
                self._priced.discard(symbol)
            if symbol not in self._priced:
                refusal = self._refused.setdefault(symbol, _Refusal())
                refusal.again_at = now + refusal.pause
                refusal.count += is_alone
                refusal.why = message.text(58)

    def due(self, now: datetime) -> list[Message]:
        """Ask again for what has rested for long enough."""
        due = [
            symbol
            for symbol, refusal in self._refused.items()
            if refusal.again_at is not None and refusal.again_at <= now
        ]
        for symbol in due:
            self._refused[symbol].again_at = None
        return [self._alone(symbol) for symbol in due]

    def _alone(self, symbol: str) -> Message:
        return self._ask_for([symbol])

    def _ask_for(self, symbols: Sequence[str]) -> Message:
        number = next(self._numbers)
        request = application.market_data_request(number, list(symbols))
        self._asked[request.text(262)] = tuple(symbols)
        return request
