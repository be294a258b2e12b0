"""The ports of the simulated provider: each has one session, and serves one connection at a time.

A second connection while the first is served is closed without a word, as FIX 4.4 asks: a Logout
would take a number of the session that goes on.
"""

import logging
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from tradewright.liquidity.fix.acceptor_faults import MARK, Fault
from tradewright.liquidity.fix.actions import Action, Send
from tradewright.liquidity.fix.line import Application, Line, Store, Waker
from tradewright.liquidity.fix.session import Identity

ACCEPT_MS = 100

_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Door:
    """A port with its threads: one lets in, one speaks."""

    address: tuple[str, int]
    store: Store
    application: Application
    waker: Waker = field(default_factory=Waker)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _socket: socket.socket | None = None

    @property
    def port(self) -> int:
        """Return the port that was given, or found free."""
        if self._socket is None:
            raise AssertionError("not started")
        port: int = self._socket.getsockname()[1]
        return port

    def start(self) -> None:
        """Listen, in a thread."""
        self._socket = socket.create_server(self.address)
        self.waker.open()
        self._socket.settimeout(ACCEPT_MS / 1000)
        self._begin(threading.Thread(target=self._serve, name="fix acceptor", daemon=True))

    def stop(self) -> None:
        """Hang up and stop."""
        self._stopping.set()
        self.waker.wake()
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        while self._threads:
            self._threads.pop(0).join()
        if self._socket is not None:
            self._socket.close()
        self.waker.close()

    def _begin(self, thread: threading.Thread) -> None:
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        speaking: threading.Thread | None = None
        while not self._stopping.is_set() and self._socket is not None:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # after the time that it waits, and when it is shut
                continue
            if speaking is not None:
                speaking.join(ACCEPT_MS / 1000)
                if speaking.is_alive():
                    connection.close()
                    continue
                self._threads.remove(speaking)
            speaking = threading.Thread(target=self._speak, args=(connection,), daemon=True)
            self._begin(speaking)

    def _speak(self, connection: socket.socket) -> None:
        """Serve one connection; whatever breaks it, the next one is served."""
        with connection:
            try:
                self._line().run(connection)
            except OSError as error:
                _LOG.info("a connection broke: %s", error)
            except Exception:  # noqa: BLE001 (told; a thread that ended would serve no more)
                _LOG.exception("a connection broke")
            finally:
                self.application.gone()

    def _line(self) -> Line:
        identity = Identity(sender="LP", target="HOUSE", is_initiator=False)
        return _FaultyLine(
            identity, self.store, self.application, self.waker, self._stopping.is_set
        )


@dataclass(slots=True)
class _FaultyLine(Line):
    """A line that loses what is marked to be lost, and breaks where it is marked to break."""

    def write(self, connection: socket.socket, actions: Sequence[Action]) -> None:
        """Write what is not to be lost."""
        whole: list[Action] = []
        for action in actions:
            fault = action.message.get(MARK) if isinstance(action, Send) else None
            if fault == Fault.DISCONNECT:
                raise ConnectionAbortedError("on purpose")
            if fault != Fault.GAP:
                whole.append(action)
        Line.write(self, connection, whole)
