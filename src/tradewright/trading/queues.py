"""The queues of an engine's writers: which one a command joins, and whether anything is in flight.

With several writers each account belongs to one of them, so that an account's commands stay in
order. What clients ask for is queued while there is room; what the house proposes always.
"""

import threading
import zlib
from collections.abc import Iterator, Sequence

from tradewright.core.errors import ErrorCode, StateError
from tradewright.core.histogram import Histogram, summed
from tradewright.trading.batch import Answer, Trading
from tradewright.trading.counts import EngineCounts
from tradewright.trading.failures import Failures
from tradewright.trading.model import Command
from tradewright.trading.writer import (
    ANSWER_MS,
    Group,
    OnBooked,
    SessionOpener,
    Waiting,
    Writer,
)

PROPOSED_COMMANDS_MAX = 500
"""Proposals that a batch takes together: at the end of a day each account has one at once."""


class Queues:
    """The writers of one engine; any thread may queue, and wait until all is idle."""

    def __init__(
        self,
        open_session: SessionOpener,
        trading: Trading,
        after: OnBooked,
        failures: Failures,
        count: int,
    ) -> None:
        self._failures = failures
        self._idle = threading.Condition()
        self._in_flight = 0
        self.is_running = False
        self.writers = [Writer(open_session, trading, after, self._answered) for _ in range(count)]

    @property
    def counts(self) -> EngineCounts:
        """Return what the writers have done together."""
        return EngineCounts.of([writer.counts for writer in self.writers])

    @property
    def answer_ms(self) -> Histogram:
        """Return how many ms commands waited for their answers, over all writers."""
        return summed([writer.counts.answer_ms for writer in self.writers], ANSWER_MS)

    @property
    def queued_count(self) -> int:
        """Return how many groups wait for a writer."""
        return sum(writer.queued_count for writer in self.writers)

    def start(self) -> None:
        """Start the writers."""
        for writer in self.writers:
            writer.start()
        self.is_running = True

    def stop(self) -> None:
        """Take nothing more, book what is queued, and stop the writers."""
        self.is_running = False
        for writer in self.writers:
            writer.stop()

    def wait_until_idle(self) -> None:
        """Block until everything that was queued has been answered."""
        with self._idle:
            self._idle.wait_for(lambda: self._in_flight == 0)

    def queue(
        self, commands: Sequence[Command], waiting: Waiting, writer: int | None = None
    ) -> None:
        """Queue what clients ask for, as long as there is room.

        Raises:
            StateError: ENGINE_STOPPED, ENGINE_QUEUE_FULL.

        """
        place = self._writer_of(commands[0].account_id) if writer is None else writer
        self.writers[place].require_room()
        self.hand_over(commands, waiting, place)

    def hand_over(self, commands: Sequence[Command], waiting: Waiting, writer: int) -> None:
        """Queue commands with a writer, whether there is room or not.

        Raises:
            StateError: ENGINE_STOPPED.

        """
        if not self.is_running:
            raise StateError(
                ErrorCode.ENGINE_STOPPED,
                "the engine is not running and takes no commands",
                why="It has not been started, or is being stopped.",
                hint="Start it, then submit again with the same keys.",
            )
        with self._idle:
            self._in_flight += 1
        self.writers[writer].submit_group(commands, waiting)

    def groups_of(self, commands: Sequence[Command]) -> Iterator[tuple[int, list[Command]]]:
        """Give the writers of commands, each with groups that are not too large."""
        for writer, places in self.by_writer(commands).items():
            for start in range(0, len(places), PROPOSED_COMMANDS_MAX):
                part = places[start : start + PROPOSED_COMMANDS_MAX]
                yield writer, [commands[place] for place in part]

    def by_writer(self, commands: Sequence[Command]) -> dict[int, list[int]]:
        """Return the places of the commands that each writer takes."""
        places: dict[int, list[int]] = {}
        for place, command in enumerate(commands):
            places.setdefault(self._writer_of(command.account_id), []).append(place)
        return places

    def _writer_of(self, account_id: str) -> int:
        return zlib.crc32(account_id.encode()) % len(self.writers)

    def _answered(self, group: Group, answers: Sequence[Answer]) -> None:
        try:
            group.waiting.resolve(answers)
        except Exception as error:  # noqa: BLE001 (the others of the batch wait too)
            self._failures.note(error)
        with self._idle:
            self._in_flight -= 1
            if self._in_flight == 0:
                self._idle.notify_all()
