"""The calling side of a line: connects, speaks, and connects again after a growing pause."""

import logging
import random
import socket
import ssl
import threading
from dataclasses import dataclass

import psycopg

from tradewright.core.clock import monotonic_seconds
from tradewright.core.errors import TradewrightError
from tradewright.liquidity.fix.line import Application, Line, Store, Waker
from tradewright.liquidity.fix.session import Identity

PAUSE_MS_MIN, PAUSE_MS_MAX = 200, 30_000
"""The pause before connecting again; without a session between, each doubles the one before."""

STEADY_SECONDS = 1
"""A session that ends sooner is none: what ended it would end the next one as soon."""

CONNECT_SECONDS_MAX = 10

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a provider listens, and as whom we speak to it."""

    host: str
    port: int
    identity: Identity
    uses_tls: bool = True
    account: str | None = None


class Caller:
    """Keeps one connection up: connects, speaks, and connects again after a growing pause."""

    def __init__(self, endpoint: Endpoint, store: Store, application: Application) -> None:
        self.waker = Waker()
        self._endpoint = endpoint
        self._store = store
        self._application = application
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.why = ""

    def start(self) -> None:
        """Start the thread."""
        self.waker.open()
        name = f"fix {self._endpoint.identity.target}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Log out, end the thread and close everything."""
        self._stopping.set()
        self.waker.wake()
        if self._thread is not None:
            self._thread.join()
        self.waker.close()

    def _run(self) -> None:
        pause_ms = PAUSE_MS_MIN
        while not self._stopping.is_set():
            line, began_at = self._line(), monotonic_seconds()
            self.why = why = self._call(line)
            self._application.gone()
            if self._stopping.is_set():
                return
            is_steady = line.was_ready and monotonic_seconds() - began_at > STEADY_SECONDS
            pause_ms = PAUSE_MS_MIN if is_steady else min(pause_ms * 2, PAUSE_MS_MAX)
            target = self._endpoint.identity.target
            _LOG.warning("no session with %s: %s; again in %s ms", target, why, pause_ms)
            jittered = random.randint(pause_ms // 2, pause_ms)  # noqa: S311 (jitter, not a secret)
            self._stopping.wait(jittered / 1000)

    def _line(self) -> Line:
        return Line(
            self._endpoint.identity,
            self._store,
            self._application,
            self.waker,
            self._stopping.is_set,
        )

    def _call(self, line: Line) -> str:
        """Connect and speak once; return why it ended.

        What nobody expected is told and ends the connection, never the calling: the message behind
        it was kept, so the next connection goes on after it.
        """
        try:
            with _connect(self._endpoint) as connection:
                return line.run(connection)
        except (OSError, psycopg.Error, TradewrightError) as error:
            return f"{type(error).__name__}: {error}"
        except Exception as error:  # noqa: BLE001 (told; a thread that ended would call no more)
            _LOG.exception("the session with %s broke", self._endpoint.identity.target)
            return f"{type(error).__name__}: {error}"


def _connect(endpoint: Endpoint) -> socket.socket:
    connection = socket.create_connection(
        (endpoint.host, endpoint.port), timeout=CONNECT_SECONDS_MAX
    )
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not endpoint.uses_tls:
        return connection
    context = ssl.create_default_context()
    return context.wrap_socket(connection, server_hostname=endpoint.host)
