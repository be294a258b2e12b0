"""What the tests of FIX's session rules share: the other end of a line, and a line of our own."""

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Thread

from tests.fix_floor import until
from tradewright.core.clock import utc_now
from tradewright.liquidity.fix.acceptor import FixAcceptor
from tradewright.liquidity.fix.acceptor_files import FileStore
from tradewright.liquidity.fix.codec import Framer, Message, encode
from tradewright.liquidity.fix.instants import as_time
from tradewright.liquidity.fix.line import Line, Waker
from tradewright.liquidity.fix.session import Identity

ORDER = ((11, "r"), (55, "EURUSD"), (54, "1"), (38, "7"), (59, "3"))
DEALT = (
    *((37, "O"), (11, "r"), (17, "X-1"), (150, "F"), (39, "2"), (55, "EURUSD"), (54, "1")),
    *((38, "7"), (14, "7"), (151, "0"), (32, "7"), (31, "1.1")),
)


@dataclass
class Peer:
    """The other end of a line, which says what a test wants it to, byte by byte."""

    connection: socket.socket
    name: str = "HOUSE"
    other: str = "LP"
    seq: int = 0
    framer: Framer = field(default_factory=Framer)
    heard: list[Message] = field(default_factory=list)
    is_over: bool = False

    def raw(
        self, kind: str, *fields: tuple[int, str], seq: int | None = None, sent: str | None = None
    ) -> bytes:
        """Return a message under the next number, or under another one or of another time."""
        self.seq = self.seq + 1 if seq is None else self.seq
        head = ((49, self.name), (56, self.other), (34, str(self.seq if seq is None else seq)))
        return encode(kind, (*head, (52, sent or as_time(utc_now())), *fields))

    def say(self, kind: str, *fields: tuple[int, str], **how: object) -> None:
        """Send a message."""
        self.connection.sendall(self.raw(kind, *fields, **how))  # type: ignore[arg-type]

    def log_on(self, *fields: tuple[int, str], beat: int = 30) -> None:
        """Log on, and wait for the answer."""
        self.say("A", (98, "0"), (108, str(beat)), *fields)
        self.hear("A")

    def hear(self, kind: str, count: int = 1) -> Message:
        """Wait for so many messages of a kind; return the last one."""
        until(lambda: self.read() or len(self.of(kind)) >= count, seconds=8)
        return self.of(kind)[-1]

    def hear_the_end(self) -> list[str]:
        """Wait until the line is closed; return the kinds of all that was heard."""
        until(self.read, seconds=8)
        return [message.kind for message in self.heard]

    def of(self, kind: str) -> list[Message]:
        """Return what was heard of a kind."""
        return [message for message in self.heard if message.kind == kind]

    def read(self) -> bool:
        """Read what has arrived, if anything; return whether the line is closed."""
        self.connection.settimeout(0.05)
        try:
            data = self.connection.recv(1 << 16)
        except TimeoutError:
            return False
        except OSError:
            data = b""
        finally:
            self.connection.settimeout(8)
        self.is_over = self.is_over or not data
        self.heard += self.framer.feed(data)
        return self.is_over


@dataclass
class Hearing:
    """An application that hears, and says what it is given."""

    heard: list[Message] = field(default_factory=list)
    says: list[Message] = field(default_factory=list)
    readies: int = 0

    def ready(self) -> None:
        """Count the logons."""
        self.readies += 1

    def waiting(self) -> Sequence[Message]:
        """Return what is to be said, once."""
        says, self.says = self.says, []
        return says

    def deliver(self, messages: Sequence[Message], now: datetime) -> None:  # noqa: ARG002
        """Hear."""
        self.heard += messages

    def tick(self, now: datetime) -> None:
        """Do nothing."""

    def gone(self) -> None:
        """Do nothing."""


@dataclass
class Ours:
    """Our end of a line, as the gateway's calling side runs it, with what it came to."""

    application: Hearing
    store: FileStore
    waker: Waker
    ended: list[str] = field(default_factory=list)


@contextmanager
def calling(acceptor: FixAcceptor, door: int = 0) -> Iterator[Peer]:
    """Connect to the provider's port for orders, or for quotes."""
    with socket.create_connection(("127.0.0.1", acceptor.ports[door])) as connection:
        yield Peer(connection)


@contextmanager
def called(
    folder: Path, wrap: Callable[[socket.socket], socket.socket] = lambda plain: plain
) -> Iterator[tuple[Peer, Ours]]:
    """Run a line of our own in a thread; yield the provider at its other end, and our end."""
    end, far = socket.socketpair()
    ours = Ours(Hearing(), FileStore(folder / "session.jsonl"), Waker())
    ours.waker.open()
    identity = Identity(sender="HOUSE", target="LP", heartbeat_seconds=1)
    stops: list[bool] = []

    def speak() -> None:
        with wrap(end) as near:
            line = Line(identity, ours.store, ours.application, ours.waker, lambda: bool(stops))
            try:
                ours.ended.append(line.run(near))
            except OSError as error:
                ours.ended.append(f"{type(error).__name__}: {error}")

    thread = Thread(target=speak, daemon=True)
    thread.start()
    try:
        with far:
            yield Peer(far, "LP", "HOUSE"), ours
    finally:
        stops.append(True)
        thread.join(20)
        ours.waker.close()
