"""Run a transaction again when the server asks for it, and never when money could move twice.

Serialization failures, deadlocks and lock timeouts leave nothing behind: the whole transaction is
run again. So does a session lost before COMMIT was sent. A session lost while COMMIT was under way
leaves the outcome unknown: the transaction is run again only when the caller says that doing it
twice does no harm; otherwise the caller must look its idempotency key up.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

import psycopg

from tradewright.core.clock import pause
from tradewright.core.errors import DatabaseError, ErrorCode
from tradewright.postgres.connect import Session
from tradewright.postgres.refusals import is_connection_lost, is_retryable, translate

SessionSource = Callable[[], AbstractContextManager[Session]]
"""Gives a session for one attempt: `pool.connection`, or `same_connection(connection)`."""

Result = TypeVar("Result")

_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 1.0


def run_transaction(
    source: SessionSource,
    work: Callable[[Session], Result],
    *,
    attempts: int = 5,
    idempotent: bool = False,
) -> Result:
    """Run `work` in one transaction, at most `attempts` times, and return what it returned.

    `work` must not commit and must have no effect outside the transaction. Between attempts the
    session goes back to its source, and a jittered, growing pause lets others finish.

    Raises:
        RetryableError: when the last attempt, too, met a conflict.
        DatabaseError: DATABASE_OUTCOME_UNKNOWN when the session was lost during COMMIT and the
            work is not idempotent; other codes for what the server refused.

    """
    for attempt in range(1, attempts + 1):
        attempted = _Attempt()
        try:
            with source() as connection:
                return attempted.run(connection, work)
        except psycopg.Error as error:
            lost = is_connection_lost(error)
            if lost and attempted.is_committing and not idempotent:
                raise _outcome_unknown(error) from error
            if attempt == attempts or not (lost or is_retryable(error)):
                raise translate(error) from error
        pause(_pause_seconds(attempt))
    raise ValueError(f"attempts must be 1 or more, not {attempts}")


def same_connection(connection: Session) -> SessionSource:
    """Return a source that gives `connection` each time and leaves it open."""

    @contextmanager
    def give() -> Iterator[Session]:
        yield connection

    return give


class _Attempt:
    """One run of the work, which remembers whether COMMIT was sent."""

    def __init__(self) -> None:
        self.is_committing = False

    def run(self, connection: Session, work: Callable[[Session], Result]) -> Result:
        with connection.transaction():
            result = work(connection)
            self.is_committing = True
        return result


def _pause_seconds(attempt: int) -> float:
    longest = min(_FIRST_PAUSE_SECONDS * 2**attempt, _LONGEST_PAUSE_SECONDS)
    return random.uniform(longest / 2, longest)  # noqa: S311  # jitter, not a secret


def _outcome_unknown(error: psycopg.Error) -> DatabaseError:
    return DatabaseError(
        ErrorCode.DATABASE_OUTCOME_UNKNOWN,
        "the session was lost while the transaction was being committed",
        why=f"The server may or may not have kept it. It said: {str(error).strip()}",
        hint="Look the command's idempotency key up before sending it again.",
    )
