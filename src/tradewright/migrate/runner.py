"""Run one file: in one transaction with its history, or statement by statement with progress.

A file that must leave the transaction (CONCURRENTLY, VACUUM, ALTER SYSTEM, ...) records each
finished statement, so a failed or killed run goes on behind the last one. What a killed statement
leaves half-done (an INVALID index, a pending detach) is settled before it is run again.
"""

import random
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import psycopg
from psycopg import sql

from tradewright.core.clock import monotonic_seconds, pause
from tradewright.core.errors import ErrorCode, MigrationError
from tradewright.migrate.guard import Guard
from tradewright.migrate.model import Direction, HistoryRow, PlannedFile, Step, statements_checksum
from tradewright.migrate.statements import Kind, Statement
from tradewright.migrate.store import Store
from tradewright.postgres.connect import Session
from tradewright.postgres.refusals import is_retryable

Observer = Callable[[Session, Statement], AbstractContextManager[None]]
"""Surrounds each statement of a file, inside the file's transaction where it has one."""


def unobserved(session: Session, statement: Statement) -> AbstractContextManager[None]:  # noqa: ARG001
    """Watch nothing: the observer of real runs."""
    return nullcontext()


def run_file(guard: Guard, file: PlannedFile, observer: Observer = unobserved) -> Step:
    """Run what is left of one file; again, after a pause, when its locks were not to be had.

    Raises:
        MigrationError: MIGRATION_FAILED with file, line and the server's own words.

    """
    started = monotonic_seconds()
    run = _FileRun(guard.store, file, observer)
    for attempt in range(1, guard.target.attempts + 1):
        try:
            with guard.work() as session:
                run.attempt(session, started)
            break
        except _StatementRefused as refused:
            if attempt == guard.target.attempts or not is_retryable(refused.error):
                raise _failed(file, refused, attempt) from refused.error
            pause(_pause_seconds(attempt))
    return Step(
        migration=file.migration,
        direction=file.direction,
        statements=len(file.statements),
        transactional=file.transactional,
        execution_ms=_elapsed_ms(started),
    )


class _StatementRefused(Exception):  # noqa: N818  # never seen outside this module
    """The server refused a statement, or the COMMIT when there is none."""

    def __init__(self, error: psycopg.Error, statement: Statement | None) -> None:
        super().__init__(str(error))
        self.error = error
        self.statement = statement


class _FileRun:
    """The attempts at one file."""

    def __init__(self, store: Store, file: PlannedFile, observer: Observer) -> None:
        self._store = store
        self._observer = observer
        self._file = file
        self._version = file.migration.version
        self._statements = file.script.statements

    def attempt(self, session: Session, started: float) -> None:
        if self._file.transactional:
            self._whole(session, started)
        else:
            self._step_by_step(session, started)

    def _whole(self, session: Session, started: float) -> None:
        """Run the file and write its history in one transaction."""
        try:
            with session.transaction():
                self._begin(session)
                for statement in self._statements:
                    self._execute(session, statement)
                _resume_own_role(session)
                self._end(session, started)
        except psycopg.Error as error:
            raise _StatementRefused(error, None) from error

    def _step_by_step(self, session: Session, started: float) -> None:
        """Run what is left of the file, recording each statement."""
        row = self._row(session)
        if row is None:
            self._begin(session)
        else:
            self._resume(session)
        done = row.statements_done if row else 0
        in_doubt = row.statement_started if row else None
        for number, statement in enumerate(self._statements, start=1):
            if number <= done and statement.kind is Kind.SETTING:
                self._execute(session, statement)
            elif number > done and statement.transactional:
                self._inside(session, number, statement)
            elif number > done:
                self._outside(session, number, statement, in_doubt=number == in_doubt)
        self._end(session, started)

    def _inside(self, session: Session, number: int, statement: Statement) -> None:
        """Run a statement and record it in one transaction: it happens once or not at all."""
        try:
            with session.transaction():
                self._execute(session, statement)
                self._finish(session, number)
        except psycopg.Error as error:
            raise _StatementRefused(error, statement) from error

    def _outside(
        self,
        session: Session,
        number: int,
        statement: Statement,
        *,
        in_doubt: bool,
    ) -> None:
        """Run a statement that no transaction can hold, between two records about it."""
        try:
            if not _settle(self._store, session, statement, in_doubt=in_doubt):
                self._store.start_statement(session, version=self._version, started=number)
                self._execute_patiently(session, statement)
        except _StatementRefused:
            if not session.closed:
                self._store.start_statement(session, version=self._version, started=None)
            raise
        self._finish(session, number)

    def _execute_patiently(self, session: Session, statement: Statement) -> None:
        if not statement.waits_for_everyone:
            self._execute(session, statement)
            return
        before = self._store.set_lock_timeout(session, "0")
        self._execute(session, statement)
        self._store.set_lock_timeout(session, before)

    def _execute(self, session: Session, statement: Statement) -> None:
        try:
            with self._observer(session, statement):
                session.execute(statement.text)
        except psycopg.Error as error:
            raise _StatementRefused(error, statement) from error

    def _row(self, session: Session) -> HistoryRow | None:
        """Return the unfinished row of this file in this direction, if there is one."""
        for row in self._store.rows(session):
            if row.version == self._version and row.direction is self._file.direction:
                return None if row.is_finished or self._was_begun_otherwise(row) else row
        return None

    def _was_begun_otherwise(self, row: HistoryRow) -> bool:
        """Tell whether an unfinished row is of another text: a repeatable file begins again."""
        migration = self._file.migration
        return migration.is_repeatable and row.checksum != migration.up.checksum

    def _begin(self, session: Session) -> None:
        self._store.begin_file(
            session,
            self._file.direction,
            version=self._version,
            name=self._file.migration.name,
            checksum=self._file.migration.up.checksum,
            done=0,
            total=len(self._statements),
            done_checksum=statements_checksum(()),
        )

    def _resume(self, session: Session) -> None:
        self._store.resume_file(
            session,
            version=self._version,
            checksum=self._file.migration.up.checksum,
            total=len(self._statements),
        )

    def _finish(self, session: Session, number: int) -> None:
        self._store.finish_statement(
            session,
            version=self._version,
            done=number,
            done_checksum=statements_checksum(self._statements[:number]),
        )

    def _end(self, session: Session, started: float) -> None:
        if self._file.direction is Direction.DOWN:
            self._store.forget_file(session, version=self._version)
        else:
            self._store.finish_file(
                session,
                version=self._version,
                execution_ms=_elapsed_ms(started),
            )


def _resume_own_role(session: Session) -> None:
    """Undo a SET ROLE of the file, which may not be allowed to write history."""
    session.execute("RESET SESSION AUTHORIZATION")


def _settle(store: Store, session: Session, statement: Statement, *, in_doubt: bool) -> bool:
    """Clear up after an interrupted run of `statement`; tell whether it is done already.

    `in_doubt` means that an earlier run began it, found nothing in its way, and was never heard of
    again: then what it was to make, if it is there and whole, was made by it.
    """
    match statement.kind:
        case Kind.INDEX_BUILD:
            return _settle_index_build(store, session, statement, in_doubt=in_doubt)
        case Kind.INDEX_REBUILD:
            for leftover in store.interrupted_rebuilds(session, statement.subject[0]):
                _drop_index(session, statement, leftover)
            return False
        case Kind.INDEX_DROP:
            return in_doubt and not any(
                store.relation_exists(session, name) for name in statement.subject
            )
        case Kind.PARTITION_DETACH:
            return _settle_detach(store, session, statement, in_doubt=in_doubt)
        case _:
            return False


def _settle_index_build(
    store: Store,
    session: Session,
    statement: Statement,
    *,
    in_doubt: bool,
) -> bool:
    table, index = statement.subject
    found = store.index_on_table(session, table=table, index=index)
    if found is None:
        return False
    name, is_valid = found
    if is_valid:
        return in_doubt
    _drop_index(session, statement, name)
    return False


def _settle_detach(
    store: Store,
    session: Session,
    statement: Statement,
    *,
    in_doubt: bool,
) -> bool:
    parent, partition = statement.subject
    pending = store.detach_pending(session, parent=parent, partition=partition)
    if pending:
        command = f"ALTER TABLE {parent} DETACH PARTITION {partition} FINALIZE"
        _execute_for(session, statement, command)
        return True
    return in_doubt and pending is None


def _drop_index(session: Session, statement: Statement, quoted_name: str) -> None:
    _execute_for(session, statement, f"DROP INDEX CONCURRENTLY {quoted_name}")


def _execute_for(session: Session, statement: Statement, command: str) -> None:
    """Run a command of ours (its names are quoted already) on behalf of a file's statement."""
    try:
        session.execute(sql.SQL(command))
    except psycopg.Error as error:
        raise _StatementRefused(error, statement) from error


def _failed(file: PlannedFile, refused: _StatementRefused, attempts: int) -> MigrationError:
    error, statement = refused.error, refused.statement
    line = _line(statement, error)
    place = f"at line {line}" if line else "when it was committed"
    message = error.diag.message_primary or str(error).strip()
    reasons = [error.diag.message_detail, error.diag.context, _what_is_left(file, attempts)]
    if statement:
        reasons.insert(0, f"Statement: {statement.headline}")
    return MigrationError(
        ErrorCode.MIGRATION_FAILED,
        f"migration file '{file.script.label}' failed {place}: {message}",
        why="\n       ".join(reason for reason in reasons if reason),
        hint=error.diag.message_hint or "Correct the file and run the same command again.",
        facts={
            "file": file.script.label,
            "line": line,
            "sqlstate": error.sqlstate,
            "direction": file.direction,
        },
    )


def _line(statement: Statement | None, error: psycopg.Error) -> int | None:
    """Return the line of the word that the server points at, else that of the statement."""
    if statement is None:
        return None
    position = error.diag.statement_position
    before = statement.text[: int(position) - 1] if position else ""
    return statement.line + before.count("\n")


def _what_is_left(file: PlannedFile, attempts: int) -> str:
    tried = f" It was tried {attempts} times." if attempts > 1 else ""
    if file.transactional:
        return f"The whole file was rolled back.{tried}"
    return f"The statements before it are done and recorded; a new run goes on here.{tried}"


def _elapsed_ms(started: float) -> int:
    return round((monotonic_seconds() - started) * 1000)


def _pause_seconds(attempt: int) -> float:
    longest = min(0.1 * 2**attempt, 10.0)
    return random.uniform(longest / 2, longest)  # noqa: S311  # jitter, not a secret
