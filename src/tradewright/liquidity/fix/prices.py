"""The connection for quotes: subscribes at each logon, withdraws its prices at each end."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import count

from tradewright.core.clock import utc_now
from tradewright.liquidity.fix import application
from tradewright.liquidity.fix.caller import Caller, Endpoint
from tradewright.liquidity.fix.codec import Message
from tradewright.liquidity.fix.store import MemoryStore
from tradewright.liquidity.gateway import Listener
from tradewright.liquidity.model import ProviderQuote

_LOG = logging.getLogger(__name__)


class Prices:
    """The connection for quotes: subscribes at each logon, withdraws at each end."""

    def __init__(self, provider: str, endpoint: Endpoint, symbols: Sequence[str]) -> None:
        self._symbols = list(symbols)
        self._books = application.Books(provider)
        self._asks: deque[Message] = deque()
        self._numbers = count(1)
        self._is_offered = False
        self._is_subscribed = False
        self._lock = threading.Lock()
        self._caller = Caller(endpoint, MemoryStore(), self)

    def start(self, listener: Listener, is_tradable: Callable[[], bool]) -> None:
        """Start the connection; quotes are told while orders could be sent on them."""
        self._listener = listener
        self._is_tradable = is_tradable
        self._caller.start()

    def stop(self) -> None:
        """End the connection."""
        self._caller.stop()

    def follow(self, symbols: Sequence[str]) -> None:
        """Subscribe to these too, now and at each logon; any thread may ask for it."""
        with self._lock:
            new = [one for one in symbols if one not in self._symbols]
            self._symbols += new
            if new and self._is_subscribed:
                self._ask_for(new)

    def ready(self) -> None:
        """Subscribe."""
        with self._lock:
            self._is_subscribed = True
            self._ask_for(self._symbols)

    def waiting(self) -> Sequence[Message]:
        """Return the subscriptions, each once."""
        with self._lock:
            asks, self._asks = self._asks, deque()
        return list(asks)

    def deliver(self, messages: Sequence[Message], now: datetime) -> None:
        """Tell the quotes in snapshots and increments."""
        for message in messages:
            if message.kind not in (application.SNAPSHOT, application.INCREMENTAL):
                _LOG.warning("quotes: %s", message.text(58) or message.kind)
                continue
            try:
                quotes = self._books.take(message, now)
                self._tell(quotes if self._is_offered else [])
            except ValueError as error:
                _LOG.error("a quote cannot be read: %s", error)

    def tick(self, now: datetime) -> None:
        """Offer the prices while orders could be sent on them, and only then."""
        if self._is_offered is self._is_tradable():
            return
        self._is_offered = not self._is_offered
        self._tell(self._books.standing() if self._is_offered else self._books.withdrawn(now))

    def gone(self) -> None:
        """Take every price back: nobody knows whether it still stands."""
        with self._lock:
            self._is_subscribed = False
            self._asks.clear()
        self._tell(self._books.withdrawn(utc_now()))
        self._books.forget()

    def _ask_for(self, symbols: Sequence[str]) -> None:
        self._asks.append(application.market_data_request(next(self._numbers), list(symbols)))

    def _tell(self, quotes: Sequence[ProviderQuote]) -> None:
        for quote in quotes:
            self._listener.take_quote(quote)
