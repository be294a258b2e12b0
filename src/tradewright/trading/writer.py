"""Natural batching: commands queue while the batch before them commits, then go as one batch.

There is no timer. A writer owns one session and one thread; any number of writers may run on one
database, because each batch locks what it touches. A batch that fails is tried again whole when
the server asked for it, then split in halves, so that one poisoned command is answered with its
error and never blocks its neighbours. A batch whose commit was lost is looked up by its commands'
own keys: booking it again answers what was booked the first time.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import Protocol

import psycopg
from msgspec import Struct

from tradewright.core.clock import monotonic_seconds, pause
from tradewright.core.defects import defect
from tradewright.core.errors import ErrorCode, InternalError, StateError, TradewrightError
from tradewright.core.histogram import Histogram
from tradewright.postgres.connect import Session
from tradewright.postgres.pipeline import STALE_STATES, Pipeline
from tradewright.postgres.refusals import is_connection_lost, is_retryable, translate
from tradewright.trading.batch import Answer, Booked, Trading, book_batch
from tradewright.trading.model import Command

BATCH_COMMANDS_MAX = 1_000
QUEUED_GROUPS_MAX = 100_000
ATTEMPTS_MAX = 8
PAUSE_MS = 50
SETTLE_MICROSECONDS = 200

_SERVER_IS_GONE = frozenset(
    {
        *(ErrorCode.DATABASE_CONNECTION_LOST, ErrorCode.DATABASE_UNREACHABLE),
        ErrorCode.ENGINE_TAKEN_OVER,
    }
)
"""What no smaller batch would change."""

SessionOpener = Callable[[], AbstractContextManager[Session]]
OnBooked = Callable[[Booked, Session], None]


class Waiting(Protocol):
    """Whoever waits for the answers of a group: the futures of other threads, or their queue."""

    def resolve(self, answers: Sequence[Answer]) -> None:
        """Take one answer for each command, in the writer's thread."""
        ...


class Group(Struct, frozen=True):
    """Commands that were submitted together and are booked in one batch."""

    commands: Sequence[Command]
    waiting: Waiting
    submitted_at: float


ANSWER_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
"""Bounds by which it is counted how long commands wait for their answers."""


@dataclass(slots=True)
class WriterCounts:
    """What a writer has done since it started, and how long commands waited for their answers."""

    batches: int = 0
    commands: int = 0
    retries: int = 0
    splits: int = 0
    reconnects: int = 0
    answer_ms: Histogram = field(default_factory=lambda: Histogram(ANSWER_MS))


@dataclass(slots=True)
class Writer:
    """One session, one thread, one queue. Start it, submit to it, stop it.

    `on_booked` is called after each commit, before the answers are given, with the session, which
    is idle then; `on_answers` with each group and one answer for each of its commands. Both are
    called in the writer's thread, and neither may raise: that would end it.
    """

    open_session: SessionOpener
    trading: Trading
    on_booked: OnBooked
    on_answers: Callable[[Group, Sequence[Answer]], None]
    counts: WriterCounts = field(default_factory=WriterCounts)
    _queue: SimpleQueue[Group | None] = field(default_factory=SimpleQueue)
    _thread: threading.Thread | None = None
    _session: Session | None = None
    _pipeline: Pipeline | None = None
    _manager: AbstractContextManager[Session] | None = None

    def start(self) -> None:
        """Start the writer's thread."""
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Book what is queued, then end the thread and close the session."""
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join()
        self._disconnect()

    def submit_group(self, commands: Sequence[Command], waiting: Waiting) -> None:
        """Queue commands that are to be booked in one batch, in their order."""
        self._queue.put(Group(commands, waiting, monotonic_seconds()))

    @property
    def queued_count(self) -> int:
        """Return how many groups wait to be booked."""
        return self._queue.qsize()

    def require_room(self) -> None:
        """Refuse what clients ask for while too much is queued; the house's own is never refused.

        Raises:
            StateError: ENGINE_QUEUE_FULL.

        """
        if self._queue.qsize() >= QUEUED_GROUPS_MAX:
            raise StateError(
                ErrorCode.ENGINE_QUEUE_FULL,
                f"the writer has {QUEUED_GROUPS_MAX} groups of commands waiting and takes no more",
                why="Commands arrive faster than they can be booked.",
                hint="Slow down and submit again with the same keys.",
            )

    def _run(self) -> None:
        while True:
            groups, is_last = self._take()
            if groups:
                self._book_groups(groups)
            if is_last:
                return

    def _take(self) -> tuple[list[Group], bool]:
        """Wait for a group, then take all that is queued up to one batch.

        Clients that were answered together come back together: while they are still coming in,
        the writer lets them, or it would go ahead with the first one alone.
        """
        groups: list[Group] = []
        count = 0
        group = self._queue.get()
        waiting = -1
        while waiting < self._queue.qsize() < BATCH_COMMANDS_MAX:
            waiting = self._queue.qsize()
            pause(SETTLE_MICROSECONDS / 1_000_000)
        while group is not None:
            groups.append(group)
            count += len(group.commands)
            if count >= BATCH_COMMANDS_MAX or self._queue.empty():
                return groups, False
            group = self._queue.get()
        return groups, True

    def _book_groups(self, groups: Sequence[Group]) -> None:
        commands = [command for group in groups for command in group.commands]
        answers = self._book(commands)
        answered_at, waits = monotonic_seconds(), self.counts.answer_ms
        start = 0
        for group in groups:
            end = start + len(group.commands)
            self.on_answers(group, answers[start:end])
            waits.note(1_000 * (answered_at - group.submitted_at), end - start)
            start = end

    def _book(self, commands: Sequence[Command]) -> list[Answer]:
        """Book commands, in halves when the whole fails for a reason that is in the commands."""
        try:
            booked = self._attempt(commands)
        except TradewrightError as error:
            if len(commands) == 1 or error.code in _SERVER_IS_GONE:
                return [error] * len(commands)
            self.counts.splits += 1
            half = len(commands) // 2
            return self._book(commands[:half]) + self._book(commands[half:])
        self.counts.batches += 1
        self.counts.commands += len(commands)
        self.on_booked(booked, self._connected()[0])
        return booked.answers

    def _attempt(self, commands: Sequence[Command]) -> Booked:
        """Run one batch, again when the server asks for it or the session was lost."""
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                booked = book_batch(self._connected()[1], self.trading, commands)
                return booked if attempt == 1 else replace(booked, is_recovered=True)
            except psycopg.Error as error:
                if attempt == ATTEMPTS_MAX or not self._may_retry(error):
                    raise translate(error) from error
                pause(PAUSE_MS * attempt / 1000)
            except TradewrightError as error:
                # The server is away, or the engine was taken for dead: perhaps for a moment only.
                is_taken = error.code is ErrorCode.ENGINE_TAKEN_OVER
                if attempt == ATTEMPTS_MAX or not (is_taken or self._session is None):
                    raise
                pause(PAUSE_MS * attempt / 1000)
            except Exception as error:
                raise _unforeseen(error) from error
        raise AssertionError("the last attempt returns or raises")

    def _may_retry(self, error: psycopg.Error) -> bool:
        if is_connection_lost(error):
            self.counts.reconnects += 1
            self._disconnect()
            return True
        if is_retryable(error) or error.sqlstate in STALE_STATES:
            self.counts.retries += 1
            return True
        return False

    def _connected(self) -> tuple[Session, Pipeline]:
        if self._session is None or self._pipeline is None:
            self._manager = self.open_session()
            self._session = self._manager.__enter__()
            self._pipeline = Pipeline(self._session)
        return self._session, self._pipeline

    def _disconnect(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None
            self._pipeline = None
            self._manager = None


def _unforeseen(error: Exception) -> InternalError:
    """Return what is answered to a command that our own code could not book."""
    return defect(
        "the engine could not book the command",
        error,
        why="Our own code failed in a way that it does not foresee; nothing was written.",
        hint="Report this with the facts; other commands are booked as before.",
    )
