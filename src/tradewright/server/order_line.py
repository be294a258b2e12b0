"""A local socket on which clients give commands to a running engine: JSON lines, answered in order.

A client may send many lines before it reads: each connection has a thread that reads and one that
answers, and between them no more than ANSWERS_WAITING_MAX commands. Whoever may open the socket's
file may trade for every account: it belongs to its owner alone (mode 0600). One engine has a
socket at a time; the lock on the file beside it goes with its process, however that ends.
"""

import fcntl
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue
from typing import BinaryIO

from tradewright.core.errors import ErrorCode, InputError, StateError, TradewrightError
from tradewright.server.commands import malformed, read_command, written_error, written_report
from tradewright.trading.model import Command, Report

LINE_BYTES_MAX = 65_536
ANSWERS_WAITING_MAX = 1_000
CLIENTS_MAX = 256
"""Clients at a time; who comes later waits for one to leave."""
CLOSE_SECONDS_MAX = 10
"""At the end a client that reads no answer for so long is owed no more."""

_ACCEPT_SECONDS = 0.2
_OWNER_ONLY = 0o600

Submit = Callable[[Command], "Future[Report]"]


@contextmanager
def bound_socket(path: Path) -> Iterator[socket.socket]:
    """Give a socket that is bound to its place, and nobody else's; nobody can connect yet.

    What a killed process has left in the place is removed, if it is a socket; a file is not.

    Raises:
        InputError: ENGINE_SOCKET_UNUSABLE.
        StateError: ENGINE_SOCKET_TAKEN.

    """
    with ExitStack() as held:
        try:
            lock = held.enter_context(path.with_name(f"{path.name}.lock").open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.is_socket():
                path.unlink()
            bound = held.enter_context(socket.socket(socket.AF_UNIX))
            bound.bind(str(path))
            path.chmod(_OWNER_ONLY)
        except BlockingIOError:
            raise _taken(path) from None
        except OSError as error:
            raise _unusable(path, error) from None
        held.callback(path.unlink, missing_ok=True)
        yield bound


def _taken(path: Path) -> StateError:
    return StateError(
        ErrorCode.ENGINE_SOCKET_TAKEN,
        f'the socket "{path}" belongs to another engine that is running',
        why="A socket has one engine behind it.",
        hint="Stop that engine, or give this one another socket.",
        facts={"socket": str(path)},
    )


def _unusable(path: Path, error: OSError) -> InputError:
    return InputError(
        ErrorCode.ENGINE_SOCKET_UNUSABLE,
        f'a socket cannot be made at "{path}"',
        why=f"The system says: {error.strerror or error}.",
        hint="Name a place in a folder that exists and that you may write to, of 100 bytes at"
        " most.",
        facts={"socket": str(path)},
    )


class OrderLine:
    """Listens on a bound socket, and hands what clients say to `submit`; close it at the end."""

    def __init__(self, bound: socket.socket, submit: Submit) -> None:
        self._submit = submit
        self._clients: set[_Client] = set()
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(CLIENTS_MAX)
        self._closing = threading.Event()
        self._socket = bound
        self._socket.listen(CLIENTS_MAX)
        self._socket.settimeout(_ACCEPT_SECONDS)
        self._thread = threading.Thread(target=self._accept, name="order line", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no further line, answer what was taken, and hang up.

        The engine must still be running: what was taken is booked first.
        """
        self._closing.set()
        self._thread.join()
        self._socket.close()
        with self._lock:
            clients = list(self._clients)
        for client in clients:
            client.stop_reading()
        for client in clients:
            client.join()

    def _accept(self) -> None:
        while not self._closing.is_set():
            if not self._places.acquire(timeout=_ACCEPT_SECONDS):
                continue
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                self._places.release()
                continue
            except OSError:
                self._places.release()
                self._closing.wait(_ACCEPT_SECONDS)
                continue
            connection.settimeout(None)
            client = _Client(connection, self._submit)
            with self._lock:
                self._clients.add(client)
            client.start(self._left)

    def _left(self, client: "_Client") -> None:
        with self._lock:
            self._clients.discard(client)
        self._places.release()


@dataclass(slots=True, eq=False)
class _Client:
    """One connection: a thread that reads and submits, a thread that answers in order."""

    connection: socket.socket
    submit: Submit
    _answers: "Queue[Future[Report] | None]" = field(
        default_factory=lambda: Queue(ANSWERS_WAITING_MAX)
    )
    _answering: threading.Thread | None = None
    _is_ending: bool = False
    _answered_count: int = 0

    def start(self, on_left: Callable[["_Client"], None]) -> None:
        """Begin to read and to answer."""
        answering = threading.Thread(target=self._answer, args=(on_left,), daemon=True)
        self._answering = answering
        answering.start()
        threading.Thread(target=self._read, daemon=True).start()

    def stop_reading(self) -> None:
        """Read no further; what was read is still answered, but for half a line."""
        self._is_ending = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RD)

    def join(self) -> None:
        """Wait until everything has been answered, or nothing more is, then hang up."""
        before = -1
        while self._answering is not None and before != self._answered_count:
            before = self._answered_count
            self._answering.join(CLOSE_SECONDS_MAX)
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _read(self) -> None:
        """Submit line by line; one that is too long is the last, as the next has no beginning."""
        with suppress(OSError), self.connection.makefile("rb") as lines:
            for line in _bounded(lines):
                if self._is_ending and not line.endswith(b"\n"):
                    break
                self._answers.put(self._asked(line))
        self._answers.put(None)

    def _asked(self, line: bytes) -> "Future[Report]":
        try:
            if len(line) > LINE_BYTES_MAX:
                raise malformed(f"It is longer than {LINE_BYTES_MAX} bytes")
            return self.submit(read_command(line))
        except TradewrightError as error:
            refused: Future[Report] = Future()
            refused.set_exception(error)
            return refused

    def _answer(self, on_left: Callable[["_Client"], None]) -> None:
        """Answer in the order of the lines; whoever hangs up is still booked for."""
        is_there = True
        while (asked := self._answers.get()) is not None:
            answer = _answer_to(asked)
            if is_there:
                try:
                    self.connection.sendall(answer)
                    self._answered_count += 1
                except OSError:
                    is_there = False
        self.connection.close()
        on_left(self)


def _bounded(lines: BinaryIO) -> Iterator[bytes]:
    """Yield lines that say something; one that is too long is the last."""
    while line := lines.readline(LINE_BYTES_MAX + 1):
        if line.strip():
            yield line
        if len(line) > LINE_BYTES_MAX:
            return


def _answer_to(asked: "Future[Report]") -> bytes:
    try:
        return written_report(asked.result())
    except TradewrightError as error:
        return written_error(error)
