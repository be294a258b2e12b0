"""The line: one connection that does what the session says, with a socket and a store.

What is received is kept before it is delivered, and what is sent is kept before it leaves, in one
transaction for all that arrives together. So a process that dies at any point knows afterwards
what it may have said, and asks again for what it has not kept.
"""

import select
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from tradewright.core.clock import utc_now
from tradewright.liquidity.fix import session
from tradewright.liquidity.fix.actions import Action, Deliver, Disconnect, Keep, Resend, Reset, Send
from tradewright.liquidity.fix.codec import Framer, Message, encode
from tradewright.liquidity.fix.resending import resent
from tradewright.liquidity.fix.session import Identity, Phase, State, Step

TICK_MS = 200
WRITE_SECONDS_MAX = 10
RESENT_TOGETHER = 1_000
"""Numbers that are read at once when what was sent is asked for again."""
_CHUNK = 1 << 16


class Store(Protocol):
    """Where a session's numbers and messages outlive its connections."""

    def numbers(self) -> tuple[int, int]:
        """Return the number expected next, and the number to be sent next."""
        ...

    def write(self, actions: Sequence[Keep | Send | Reset]) -> None:
        """Keep what was received and what is about to be sent, all of it or nothing."""
        ...

    def sent(self, begin: int, end: int) -> dict[int, Message]:
        """Return what was sent under some numbers, the end included."""
        ...


class Application(Protocol):
    """Whose messages go over the line."""

    def ready(self) -> None:
        """Take note that the session is logged on."""
        ...

    def waiting(self) -> Sequence[Message]:
        """Return what is to be sent now; asked for only while the session is logged on."""
        ...

    def deliver(self, messages: Sequence[Message], now: datetime) -> None:
        """Take messages that have been kept, in their order."""
        ...

    def tick(self, now: datetime) -> None:
        """Take note that time has passed."""
        ...

    def gone(self) -> None:
        """Take note that the connection has ended."""
        ...


class Waker:
    """Wakes a line that waits for its socket, from any thread; nobody, before it is opened."""

    def __init__(self) -> None:
        self._reader = self._writer = socket.socket(socket.AF_UNIX)
        self.close()

    def open(self) -> None:
        """Open both ends; whoever does closes them."""
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    def fileno(self) -> int:
        """Return the descriptor that becomes readable."""
        return self._reader.fileno()

    def wake(self) -> None:
        """Wake the line; a full pipe has woken it already."""
        with suppress(OSError):
            self._writer.send(b"!")

    def sleep(self) -> None:
        """Forget that it was woken."""
        with suppress(OSError):
            while self._reader.recv(_CHUNK):
                pass

    def close(self) -> None:
        """Close both ends."""
        self._reader.close()
        self._writer.close()


@dataclass(slots=True)
class Line:
    """One connection of a session; `run` returns why it ended."""

    identity: Identity
    store: Store
    application: Application
    waker: Waker
    is_stopping: Callable[[], bool]
    state: State = field(default_factory=State)
    was_ready: bool = False
    _why: str = ""

    def run(self, connection: socket.socket) -> str:
        """Speak until either side ends it; return why.

        Raises:
            OSError: the connection broke.
            psycopg.Error: the store failed, and nothing was delivered or sent.

        """
        next_in, next_out = self.store.numbers()
        self.state = State(next_in=next_in, next_out=next_out)
        connection.settimeout(WRITE_SECONDS_MAX)
        framer = Framer()
        self._do(connection, [session.connected(self.state, self.identity, utc_now())])
        while not self._why:
            data = self._read(connection)
            if data == b"":
                return "the other side has hung up"
            self._turn(connection, list(framer.feed(data)) if data else [])
        return self._why

    def _turn(self, connection: socket.socket, messages: Sequence[Message]) -> None:
        """Take what has arrived, let time pass, send what waits: one write for all of it."""
        now = utc_now()
        steps = self._received(messages, now)
        steps.append(session.ticked(self.state, self.identity, now))
        self.state = steps[-1].state
        begins = any(isinstance(action, Reset) for step in steps for action in step.actions)
        if self.state.is_ready and (begins or not self.was_ready):
            self.was_ready = True
            self.application.ready()
        if self.state.is_ready:
            for message in self.application.waiting():
                steps.append(session.submitted(self.state, self.identity, now, message))
                self.state = steps[-1].state
        if self.state.is_ready and self.is_stopping():
            steps.append(session.ended(self.state, self.identity, now))
            self.state = steps[-1].state
        self._do(connection, steps)
        self.application.tick(now)

    def _received(self, messages: Sequence[Message], now: datetime) -> list[Step]:
        """Take messages until one of them ends the connection; what is behind it is not read."""
        steps: list[Step] = []
        for message in messages:
            if self.state.phase is Phase.CLOSED:
                break
            steps.append(session.received(self.state, self.identity, now, message))
            self.state = steps[-1].state
        return steps

    def _do(self, connection: socket.socket, steps: Sequence[Step]) -> None:
        self.state = steps[-1].state
        actions = [action for step in steps for action in step.actions]
        kept = [action for action in actions if isinstance(action, Keep | Send | Reset)]
        if kept:
            self.store.write(kept)
        try:
            self.write(connection, actions)
        finally:
            delivered = [action.message for action in actions if isinstance(action, Deliver)]
            if delivered:
                self.application.deliver(delivered, utc_now())
        self._why = next((a.why for a in actions if isinstance(a, Disconnect)), self._why)

    def write(self, connection: socket.socket, actions: Sequence[Action]) -> None:
        """Write what is to be sent in one piece, but for what is sent again: that in parts."""
        data = b""
        for action in actions:
            if isinstance(action, Send):
                data += encode(action.message.kind, action.message.fields)
            elif isinstance(action, Resend):
                for part in self._resent(action):
                    connection.sendall(data + part)
                    data = b""
        if data:
            connection.sendall(data)

    def _resent(self, asked: Resend) -> Iterator[bytes]:
        """Give what is sent again; a numbering may be of years, and is not held in memory."""
        for begin in range(asked.begin, asked.end + 1, RESENT_TOGETHER):
            end = min(begin + RESENT_TOGETHER - 1, asked.end)
            sent = self.store.sent(begin, end)
            answers = resent(self.identity, sent, range(begin, end + 1), utc_now())
            yield b"".join(encode(message.kind, message.fields) for message in answers)

    def _read(self, connection: socket.socket) -> bytes | None:
        """Return what has arrived; None when time has passed or there is something to send.

        Over TLS what is readable may be no data yet: part of a record, or a word of TLS itself.
        """
        pending = getattr(connection, "pending", int)()
        if not pending:
            ready, _, _ = select.select(
                [connection.fileno(), self.waker.fileno()], [], [], TICK_MS / 1000
            )
            self.waker.sleep()
            if connection.fileno() not in ready:
                return None
        connection.settimeout(0)
        try:
            return connection.recv(_CHUNK)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        finally:
            connection.settimeout(WRITE_SECONDS_MAX)
