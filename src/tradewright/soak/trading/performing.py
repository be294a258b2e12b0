"""How a client performs its commands: each until its outcome is known, whatever is killed.

A command whose connection was lost is *unknown*: it may have been booked or not. The client sends
it again, under the same key, to whichever engine is there; the key finds what was booked. Nothing
here knows what the right outcome is; `promises` does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.connection import Client, Connection
from typing import Any

import psycopg

from tradewright.core.clock import monotonic_seconds, pause
from tradewright.core.errors import ErrorCode, RetryableError, TradewrightError
from tradewright.core.processes import serve_requests
from tradewright.liquidity.model import Quote
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.soak.reconnecting import connect_again
from tradewright.soak.trading.asking import Held, Outcome, View
from tradewright.soak.trading.commands import Command, CommandStream, Kind
from tradewright.soak.trading.engines import See
from tradewright.trading.model import Command as Sent
from tradewright.trading.model import NothingDone

RESOLVE_SECONDS_MAX = 90
ANSWER_SECONDS_MAX = 40
_PAUSE_SECONDS = 0.03

_UNKNOWN = frozenset(
    {
        *(ErrorCode.DATABASE_CONNECTION_LOST, ErrorCode.DATABASE_UNREACHABLE),
        *(ErrorCode.DATABASE_OUTCOME_UNKNOWN, ErrorCode.ENGINE_STOPPED),
        ErrorCode.ENGINE_QUEUE_FULL,
    }
)
"""Refusals that do not say whether the command was booked before they came."""

_NOT_SENT = object()
"""What is answered when no engine is there to send a request to."""

_ASK_WHAT_IS_HELD = frozenset(
    {Kind.CLOSE, Kind.CLOSE_PART, Kind.CLOSE_BY_ORDER, Kind.CLOSE_BY, Kind.AMEND}
)
_ASK_PRICES = frozenset({Kind.SUBMIT, Kind.AMEND})


@dataclass(frozen=True, slots=True)
class ClientRecord:
    """What one client did; its commands can be drawn again from the seed."""

    outcomes: Sequence[Outcome]
    retries: int


@dataclass(slots=True)
class Performer:
    """Performs the commands of one client, one after the other, and keeps their outcomes."""

    conninfo: str
    addresses: Sequence[str]
    account_ids: Sequence[str]
    outcomes: list[Outcome] = field(default_factory=list)
    retries: int = 0
    session: Session | None = None
    lines: dict[str, Connection] = field(default_factory=dict)

    def perform(self, command: Command) -> None:
        """Perform a command until its outcome is known."""
        outcome = Outcome(command.number)
        outcome.sent = self._view(command).asked(command)
        self.outcomes.append(outcome)
        if outcome.sent is None:
            return
        deadline = monotonic_seconds() + RESOLVE_SECONDS_MAX
        outcome.word, turn = "unresolved", command.pick
        while outcome.word == "unresolved" and monotonic_seconds() < deadline:
            self._try(turn, outcome.sent, outcome)
            turn += 1

    def close(self) -> None:
        """Close the session, if there is one."""
        if self.session is not None:
            self.session.close()
            self.session = None

    def _try(self, turn: int, sent: Sent, outcome: Outcome) -> None:
        """Send a command once to the engine whose turn it is."""
        answer = self._ask(turn, sent)
        if answer is _NOT_SENT:
            pause(_PAUSE_SECONDS)
        elif isinstance(answer, RetryableError):
            self.retries += 1
        elif answer is None or (isinstance(answer, TradewrightError) and answer.code in _UNKNOWN):
            outcome.unknowns += 1
            pause(_PAUSE_SECONDS)
        elif isinstance(answer, TradewrightError):
            outcome.word, outcome.code = "refused", str(answer.code)
        elif isinstance(answer, NothingDone):
            outcome.word = "nothing"
        else:
            outcome.word, outcome.report = "done", answer
            is_replay = bool(getattr(answer, "is_replay", False))
            outcome.was_committed = outcome.unknowns > 0 and is_replay

    def _ask(self, turn: int, request: object) -> Any:
        """Send a request to an engine; return its answer, or None when the line was lost."""
        address = self.addresses[turn % len(self.addresses)]
        try:
            line = self.lines.get(address) or Client(address, family="AF_UNIX")
        except OSError:
            return _NOT_SENT
        self.lines[address] = line
        try:
            line.send(request)
            if line.poll(ANSWER_SECONDS_MAX):
                return line.recv()
        except (EOFError, OSError):
            pass
        lost = self.lines.pop(address, None)
        if lost is not None:
            lost.close()
        return None

    def _view(self, command: Command) -> View:
        asks = command.kind in _ASK_WHAT_IS_HELD
        held = self._held(self.account_ids[command.account]) if asks else []
        shown = self._shown(command.pick) if command.kind in _ASK_PRICES else {}
        return View(self.account_ids, shown, held, self.outcomes)

    def _shown(self, turn: int) -> dict[str, Quote]:
        """Return the quotes that an engine shows, of whichever is there."""
        for place in range(len(self.addresses)):
            answer = self._ask(turn + place, See())
            if isinstance(answer, dict):
                return answer
        return {}

    def _held(self, account_id: str) -> list[Held]:
        query = load_queries("tradewright.soak.trading")["positions_held"]
        while True:
            try:
                self.session = self.session or connect_again(self.conninfo)
                rows = self.session.execute(query, {"account_id": account_id}).fetchall()
                return [Held(*row) for row in rows]
            except psycopg.Error:
                self.close()


def serve_client(pipe: Connection, performer: Performer, seed: int, session: int) -> None:
    """Run in a process: perform commands for each number of seconds that arrives, until None."""
    stream = iter(CommandStream(seed, session, len(performer.account_ids)))

    def perform_for(seconds: float) -> ClientRecord:
        end = monotonic_seconds() + seconds
        while monotonic_seconds() < end:
            for command in islice(stream, 1):
                performer.perform(command)
        performer.close()
        return ClientRecord(performer.outcomes, performer.retries)

    serve_requests(pipe, perform_for)
