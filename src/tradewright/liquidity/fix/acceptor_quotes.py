"""What the simulated provider quotes, and to whom: snapshots at once, then each change."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from tradewright.liquidity.fix import application
from tradewright.liquidity.fix.codec import Message

_NEEDED = {application.MARKET_DATA_REQUEST: (262, 263, 55)}
"""What is understood, with the fields that it cannot be answered without."""


@dataclass(frozen=True, slots=True)
class Price:
    """What is quoted for a symbol, for one size on both sides."""

    bid: Decimal
    ask: Decimal
    size: Decimal = Decimal(1_000_000)


@dataclass(slots=True)
class Quoting:
    """The prices, and whoever has subscribed to them."""

    prices: dict[str, Price]
    rejects_whole: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _queue: deque[Message] = field(default_factory=deque)
    _subscribed: dict[str, str] = field(default_factory=dict)

    def set_price(self, symbol: str, price: Price) -> None:
        """Change a price, and send it to whoever has subscribed."""
        with self._lock:
            self.prices[symbol] = price
            if symbol in self._subscribed:
                sides = (("0", price.bid), ("1", price.ask))
                entries = [
                    entry
                    for side, value in sides
                    for entry in (
                        *((279, "1"), (269, side), (55, symbol)),
                        *((270, f"{value}"), (271, f"{price.size}")),
                    )
                ]
                fields = ((262, self._subscribed[symbol]), (268, "2"), *entries)
                self._queue.append(Message(application.INCREMENTAL, fields))

    def ready(self) -> None:
        """Do nothing: the client subscribes."""

    def waiting(self) -> Sequence[Message]:
        """Return what is to be sent now."""
        with self._lock:
            messages, self._queue = list(self._queue), deque()
        return messages

    def deliver(self, messages: Sequence[Message], now: datetime) -> None:  # noqa: ARG002
        """Take subscriptions."""
        for message in messages:
            refusal = application.refusal(
                message, {application.MARKET_DATA_REQUEST: (262, 263, 55)}
            )
            if refusal is not None:
                with self._lock:
                    self._queue.append(refusal)
            elif message.kind == application.MARKET_DATA_REQUEST:
                self._take_request(message)

    def tick(self, now: datetime) -> None:
        """Do nothing."""

    def gone(self) -> None:
        """Forget who has subscribed."""
        with self._lock:
            self._subscribed.clear()
            self._queue.clear()

    def _take_request(self, message: Message) -> None:
        """Take a request by its SubscriptionRequestType (263): a snapshot, what follows, an end."""
        symbols = [value for tag, value in message.fields if tag == 55]
        if message.get(263) == "2":
            with self._lock:
                for symbol in symbols:
                    self._subscribed.pop(symbol, None)
            return
        unknown = [symbol for symbol in symbols if symbol not in self.prices]
        if self.rejects_whole and unknown:
            symbols = unknown[:1]
        for symbol in symbols:
            self._subscribe(message.text(262), symbol, follows=message.get(263) == "1")

    def _subscribe(self, request_id: str, symbol: str, *, follows: bool) -> None:
        with self._lock:
            price = self.prices.get(symbol)
            if price is None:
                fields = ((262, request_id), (281, "0"), (58, f"unknown symbol {symbol}"))
                self._queue.append(Message(application.MARKET_DATA_REJECT, fields))
                return
            if follows:
                self._subscribed[symbol] = request_id
            self._queue.append(
                Message(
                    application.SNAPSHOT,
                    (
                        *((262, request_id), (55, symbol), (268, "2")),
                        *((269, "0"), (270, f"{price.bid}"), (271, f"{price.size}")),
                        *((269, "1"), (270, f"{price.ask}"), (271, f"{price.size}")),
                    ),
                )
            )
