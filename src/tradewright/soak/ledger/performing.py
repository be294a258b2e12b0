"""How a session performs its commands: each until its outcome is known, whatever the server does.

A call whose connection was lost is *unknown*: it may have been committed or not. The session
connects again and repeats it under the same key; the ledger answers it as a replay if it had been
done. Conflicts that the server rolled back are tried again. Nothing here knows what the right
outcome is; `checking` does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from multiprocessing.connection import Connection

import psycopg

from tradewright.core.clock import monotonic_seconds, utc_now
from tradewright.core.errors import DatabaseError, ErrorCode, RetryableError, TradewrightError
from tradewright.core.processes import serve_requests
from tradewright.ledger import LedgerReply, MovementResult
from tradewright.postgres.connect import Session
from tradewright.postgres.refusals import translate
from tradewright.soak.ledger.calls import Call, Cast, Outcome, call_of
from tradewright.soak.ledger.commands import Command, CommandStream
from tradewright.soak.reconnecting import connect_again


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """What one session did; the commands can be drawn again from the seed."""

    outcomes: Sequence[Outcome]
    retries: int


@dataclass(slots=True)
class Performer:
    """Performs the commands of one session, one after the other, and keeps their outcomes."""

    conninfo: str
    cast: Cast
    commands: list[Command] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    retries: int = 0
    session: Session | None = None

    def perform(self, command: Command) -> None:
        """Perform a command until its outcome is known."""
        outcome = Outcome(command.number, "skipped", expires_at=_expiry_of(command))
        self.commands.append(command)
        self.outcomes.append(outcome)
        call = call_of(command, self.cast, self.commands, self.outcomes)
        while call is not None and not self._is_settled(call, outcome):
            pass

    def close(self) -> None:
        """Close the session, if there is one."""
        if self.session is not None:
            self.session.close()
            self.session = None

    def _is_settled(self, call: Call, outcome: Outcome) -> bool:
        """Try a call once; tell whether its outcome is known."""
        try:
            answer = self._run(call)
        except RetryableError:
            self.retries += 1
            return False
        except DatabaseError as error:
            if error.code is not ErrorCode.DATABASE_CONNECTION_LOST:
                raise
            self.close()
            outcome.unknowns += 1
            return False
        except TradewrightError as error:
            outcome.word, outcome.code = "refused", str(error.code)
            return True
        _note(outcome, answer)
        return True

    def _run(self, call: Call) -> object:
        """Run a call; what the driver raises outside the ledger's own calls is translated too."""
        if self.session is None:
            self.session = connect_again(self.conninfo)
        try:
            return call(self.session)
        except psycopg.Error as error:
            raise translate(error) from error


def serve_session(pipe: Connection, conninfo: str, cast: Cast, seed: int, session: int) -> None:
    """Run in a process: perform commands for each number of seconds that arrives, until None."""
    stream = iter(CommandStream(seed, session, len(cast.user_ids)))
    performer = Performer(conninfo, cast)

    def perform_for(seconds: float) -> SessionRecord:
        end = monotonic_seconds() + seconds
        while monotonic_seconds() < end:
            for command in islice(stream, 1):
                performer.perform(command)
        performer.close()
        return SessionRecord(performer.outcomes, performer.retries)

    serve_requests(pipe, perform_for)


def _expiry_of(command: Command) -> datetime | None:
    if command.expires_in_ms is None:
        return None
    return utc_now() + timedelta(milliseconds=command.expires_in_ms)


def _note(outcome: Outcome, answer: object) -> None:
    """Keep what a call answered: a reply, several, the results of a batch, or a count."""
    outcome.word = "done"
    answers = answer if isinstance(answer, list) else [answer]
    replies = tuple(one for one in answers if isinstance(one, LedgerReply))
    outcome.words = tuple(_word(one) for one in answers if isinstance(one, MovementResult))
    outcome.replies = replies if isinstance(answer, list) else ()
    outcome.reply = answer if isinstance(answer, LedgerReply) else None
    is_replay = any(reply.is_replay for reply in replies) or "replay" in outcome.words
    outcome.was_committed = outcome.unknowns > 0 and is_replay


def _word(result: MovementResult) -> str:
    return str(result.error.code) if result.error else "replay" if result.is_replay else "done"
