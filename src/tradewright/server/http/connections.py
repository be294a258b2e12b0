"""Connections are bounded in number, of all and of one address, and in how long they may be silent.

uvicorn ends a connection that rests between two requests, and waits for ever for the first one and
for the head of one that was begun; so whoever opens connections and says nothing, or a byte now and
then, could have all of them.
"""

import asyncio
from ipaddress import ip_address
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

from tradewright.access.rates import network_of
from tradewright.server.http.house import HttpSettings


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, within bounds; `protocol_of` gives it its settings."""

    settings: ClassVar[HttpSettings] = HttpSettings()
    _head_due: asyncio.TimerHandle | None = None
    _network = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or hang up when there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.settings.connections or self._has_too_many():
            transport.abort()
            return
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Read on; the head of a request is waited for only so long, however little of it comes."""
        super().data_received(data)
        if self._is_asked():
            self._forget_head()
        elif self._head_due is None:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._forget_head()
        super().connection_lost(exc)

    def _has_too_many(self) -> bool:
        """Return whether the address that connects has too many; a proxy connects for others."""
        host = self.client[0] if self.client else ""
        if any(ip_address(host) in each for each in self.settings.proxies):
            return False
        self._network = network_of(host)
        own: int = sum(getattr(each, "_network", "") == self._network for each in self.connections)
        return own > self.settings.connections_of_address

    def _is_asked(self) -> bool:
        """Return whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def _await_head(self) -> None:
        self._head_due = self.loop.call_later(self.settings.head_seconds, self._hang_up)

    def _forget_head(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _hang_up(self) -> None:
        self._head_due = None
        if not self._is_asked():
            self.transport.close()


def protocol_of(settings: HttpSettings) -> type[BoundedProtocol]:
    """Return the protocol of a server with these settings."""
    return type("BoundedProtocol", (BoundedProtocol,), {"settings": settings})
