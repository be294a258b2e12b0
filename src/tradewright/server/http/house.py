"""What the routes of an app share: the pool, the line to the engine, and settings."""

import threading
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network

from fastapi import Request
from psycopg_pool import ConnectionPool

from tradewright.postgres.connect import DEFAULT_SCHEMA, Session
from tradewright.server.http.engine_line import EngineLine

Network = IPv4Network | IPv6Network
"""Addresses that belong together; an address by itself is a network of one."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """How an app behaves.

    `connections` counts all, also those that ask nothing: below the system's bound of open files;
    `connections_of_address` those of one address (of IPv6: one network) that is none of `proxies`.
    A connection that has not sent the head of a request within `head_seconds`, and a body that is
    not there within `body_seconds`, are waited for no longer.
    `is_behind_tls`: a server with TLS stands in front, so cookies of the console are for TLS alone.
    `proxies`: networks whose word on who asks is taken (X-Forwarded-For): payments
    are checked by that address. Without any it is the address that connects.
    """

    body_bytes_max: int = 65_536
    requests_per_second: float = 50
    burst: int = 100
    requests_at_once: int = 128
    requests_at_once_of_key: int = 32
    connections: int = 900
    connections_of_address: int = 200
    head_seconds: float = 10
    body_seconds: float = 10
    is_behind_tls: bool = False
    proxies: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpHouse:
    """The house as an app reaches it.

    `pool` lends sessions in autocommit; streams end when `stopping` is set.
    """

    pool: ConnectionPool[Session]
    conninfo: str
    line: EngineLine | None
    schema: str = DEFAULT_SCHEMA
    settings: HttpSettings = HttpSettings()
    stopping: threading.Event = field(default_factory=threading.Event)


def house_of(request: Request) -> HttpHouse:
    """Return the house of the app that serves a request."""
    house: HttpHouse = request.app.state.house
    return house
