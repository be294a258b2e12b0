"""The connection for quotes: subscribes at each logon, withdraws its prices at each end.

`subscriptions` says what is asked for again when a provider refuses it.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from tradewright.core.clock import utc_now
from tradewright.liquidity.fix import application
from tradewright.liquidity.fix.caller import Caller, Endpoint
from tradewright.liquidity.fix.codec import Message
from tradewright.liquidity.fix.store import MemoryStore
from tradewright.liquidity.fix.subscriptions import Subscriptions
from tradewright.liquidity.gateway import Listener
from tradewright.liquidity.model import ProviderQuote

_LOG = logging.getLogger(__name__)


class Prices:
    """The connection for quotes: subscribes at each logon, withdraws at each end."""

    def __init__(self, provider: str, endpoint: Endpoint, symbols: Sequence[str]) -> None:
        self._subscriptions = Subscriptions(list(symbols))
        self._books = application.Books(provider)
        self._asks: deque[Message] = deque()
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

    @property
    def kept_refused(self) -> Mapping[str, str]:
        """Return the symbols that the provider keeps refusing, with its words; for any thread."""
        with self._lock:
            return self._subscriptions.kept_refused

    @property
    def priced(self) -> Collection[str]:
        """Return the symbols that have had a price since the logon; for any thread."""
        with self._lock:
            return frozenset(self._subscriptions.priced)

    def follow(self, symbols: Sequence[str]) -> None:
        """Subscribe to these too, now and at each logon, and ask again for what was refused.

        Any thread may ask for it.
        """
        with self._lock:
            asks = self._subscriptions.follow(symbols)
            if self._is_subscribed:
                self._asks += asks

    def ready(self) -> None:
        """Subscribe."""
        with self._lock:
            self._is_subscribed = True
            self._asks += self._subscriptions.begin()

    def waiting(self) -> Sequence[Message]:
        """Return the subscriptions, each once."""
        with self._lock:
            asks, self._asks = self._asks, deque()
        return list(asks)

    def deliver(self, messages: Sequence[Message], now: datetime) -> None:
        """Tell the quotes in snapshots and increments; take note of what is refused."""
        for message in messages:
            if message.kind not in (application.SNAPSHOT, application.INCREMENTAL):
                _LOG.warning("quotes: %s", message.text(58) or message.kind)
                with self._lock:
                    self._subscriptions.take_refusal(message, now)
                continue
            try:
                quotes = self._books.take(message, now)
                self._take(quotes)
            except ValueError as error:
                _LOG.error("a quote cannot be read: %s", error)

    def tick(self, now: datetime) -> None:
        """Ask again for what is due; offer the prices while orders could be sent on them."""
        with self._lock:
            if self._is_subscribed:
                self._asks += self._subscriptions.due(now)
        if self._is_offered is self._is_tradable():
            return
        self._is_offered = not self._is_offered
        self._tell(self._books.standing() if self._is_offered else self._books.withdrawn(now))

    def gone(self) -> None:
        """Take every price back: nobody knows whether it still stands."""
        with self._lock:
            self._is_subscribed = False
            self._asks.clear()
            self._subscriptions.end()
        self._tell(self._books.withdrawn(utc_now()))
        self._books.forget()

    def _take(self, quotes: Sequence[ProviderQuote]) -> None:
        with self._lock:
            for quote in quotes:
                self._subscriptions.take_price(quote.symbol)
        self._tell(quotes if self._is_offered else [])

    def _tell(self, quotes: Sequence[ProviderQuote]) -> None:
        for quote in quotes:
            self._listener.take_quote(quote)
