"""Only one runner at a time: the lock, held by a session of its own, and the sessions that work.

The lock is polled and never waited for in the server, where a waiter would hold a snapshot that
CREATE INDEX CONCURRENTLY waits for in turn. A second lock, of each working session, is there until
the server has really ended the last statement of a runner that was killed. Neither can be held by
a role that may not write the history (decision 039).
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from tradewright.core.clock import monotonic_seconds, pause
from tradewright.core.errors import ErrorCode, MigrationError
from tradewright.migrate.model import Target
from tradewright.migrate.store import Store
from tradewright.postgres import session_locks
from tradewright.postgres.connect import Limits, Session, connect
from tradewright.postgres.session_locks import SessionLock

_RUN = "run"
_WORK = "work"


class Guard:
    """Holds the runner's lock and opens the sessions that work under it."""

    def __init__(self, target: Target, store: Store, session: Session) -> None:
        self.target = target
        self.store = store
        self.session = session
        self._backend_pid = store.backend_pid(session)

    def require_lock(self) -> None:
        """Make sure that the session which holds the lock is still the one that took it."""
        try:
            alive = self.store.backend_pid(self.session) == self._backend_pid
        except psycopg.OperationalError as error:
            raise MigrationError(
                ErrorCode.MIGRATION_LOCK_LOST,
                "the session that held the migration lock was lost",
                why=f"Another runner may have begun since. The server said: {error}".strip(),
                hint="Run the command again.",
            ) from error
        if not alive:
            raise _pooled()

    def require_own_backend(self) -> None:
        """Make sure that a second session is answered by a second process of the server."""
        with _session(self.target) as other:
            if self.store.backend_pid(other) == self._backend_pid:
                raise _pooled()

    @contextmanager
    def work(self) -> Iterator[Session]:
        """Open a fresh session for one file, so that no setting of another file is left in it.

        Whoever locks after us finds this session at work, or we find our lock lost.
        """
        with _session(self.target) as session:
            if self.store.backend_pid(session) == self._backend_pid:
                raise _pooled()
            self.store.watch_client(session)
            session_locks.lock_beside(session, self.store.session_lock(_WORK))
            self.require_lock()
            yield session


@contextmanager
def guarded(target: Target, store: Store) -> Iterator[Guard]:
    """Take the lock of the target's schema, waiting for it at most `target.wait_seconds`.

    Raises:
        MigrationError: MIGRATION_LOCKED naming the holder, or MIGRATION_POOLED.

    """
    with _session(target) as session:
        guard = Guard(target, store, session)
        guard.require_own_backend()
        deadline = monotonic_seconds() + target.wait_seconds
        run, work = store.session_lock(_RUN), store.session_lock(_WORK)
        _poll(guard, run, deadline, lambda: session_locks.try_lock(session, run) is not None)
        _poll(guard, work, deadline, lambda: not session_locks.holders(session, work))
        yield guard


@contextmanager
def _session(target: Target) -> Iterator[Session]:
    """Open a session that has no deadline but that of its locks, and close it."""
    limits = Limits(
        lock_timeout_ms=target.lock_timeout_ms,
        idle_in_transaction_session_timeout_ms=0,
        transaction_timeout_ms=0,
    )
    session = connect(
        target.conninfo,
        schema=target.schema,
        autocommit=True,
        application_name="tradewright migrate",
        limits=limits,
    )
    session.prepare_threshold = None
    try:
        yield session
    finally:
        session.close()


def _poll(guard: Guard, lock: SessionLock, deadline: float, is_free: Callable[[], bool]) -> None:
    while not is_free():
        if monotonic_seconds() >= deadline:
            raise _locked(guard, lock)
        pause(random.uniform(0.1, 0.4))  # noqa: S311  # jitter, not a secret


def _locked(guard: Guard, lock: SessionLock) -> MigrationError:
    holders = [
        f"process {each.pid} ({each.application}, user {each.user}, from {each.address})"
        for each in session_locks.holders(guard.session, lock)
    ]
    return MigrationError(
        ErrorCode.MIGRATION_LOCKED,
        f"another runner is migrating schema '{guard.store.schema}'",
        why=f"The lock is held by {', '.join(holders) or 'a session that has just ended'}.",
        hint="Wait for it, or end that process if it hangs.",
        facts={"schema": guard.store.schema},
    )


def _pooled() -> MigrationError:
    return MigrationError(
        ErrorCode.MIGRATION_POOLED,
        "migrations cannot run through a pooler in transaction mode",
        why="Two of our sessions were answered by one server process, so the lock that keeps two "
        "runners apart, and each SET of a migration, would belong to any client of the pooler.",
        hint="Connect to the server itself, or to a pool in session mode.",
    )
