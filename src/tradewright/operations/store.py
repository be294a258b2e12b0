"""The only SQL of the runner: claims, runs and schedules."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from tradewright.operations.model import JobStatus, Schedule
from tradewright.operations.rules import due_after_failure
from tradewright.postgres import session_locks
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.postgres.session_locks import SessionLock


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that has begun: its id, the job's schedule, and since when it was due."""

    run_id: str
    name: str
    schedule: Schedule
    due_at: datetime
    failure_count: int


def read_due(connection: Session) -> list[str]:
    """Return the names of the jobs that are due, the longest overdue first."""
    return [row[0] for row in connection.execute(_query("due_jobs"))]


@contextmanager
def claimed(connection: Session, name: str) -> Iterator[bool]:
    """Claim a job for this session, if no other has it; the server ends the claim with us."""
    lock = SessionLock(name=f"job/{name}", table="job_runs")
    with connection.transaction():
        connection.execute(_query("take_turn"), {"name": name})
        number = session_locks.try_lock(connection, lock)
    try:
        yield number is not None
    finally:
        if number is not None and not connection.closed:
            session_locks.unlock(connection, lock, number)


def begin_run(connection: Session, name: str) -> Begun | None:
    """Record that a claimed job begins; None when it is no longer due.

    A run that never ended belongs to a runner that is gone, or it would have the claim. The job
    is then put off like after any failure before it is run again, so that work which kills its
    runner does not come first each time and keep all other jobs from their turn.
    """
    with connection.transaction():
        due = connection.execute(_query("lock_due_job"), {"name": name}).fetchone()
        if due is None:
            return None
        lost = connection.execute(_query("mark_lost"), {"name": name}).fetchone()
        failures = due[3]
        if lost is not None:
            failures += 1
            set_due(connection, name, due_after_failure(failures, lost[0]), failures)
        row = connection.execute(_query("begin_run"), {"name": name}).fetchone()
    if row is None:
        raise LookupError(name)
    return Begun(row[0], name, Schedule(due[0], due[1]), due[2], failures)


def end_run(connection: Session, run: Begun, **result: object) -> tuple[datetime, Decimal] | None:
    """Record what came of a run in the caller's transaction; return when, and its seconds.

    None when another runner has taken the run for lost: then the job is no longer ours.
    """
    values = {"done_count": None, "error_code": None, "error": None, **result}
    row: tuple[Any, ...] | None = connection.execute(
        _query("end_run"), {"id": run.run_id, **values}
    ).fetchone()
    return None if row is None else (row[0], row[1])


def set_due(connection: Session, name: str, next_due_at: datetime, failure_count: int) -> None:
    """Set when a job is due again, and its failures in a row."""
    values = {"name": name, "next_due_at": next_due_at, "failure_count": failure_count}
    connection.execute(_query("set_due"), values)


def read_jobs(connection: Session) -> list[JobStatus]:
    """Read every job, by name."""
    return [_status(row) for row in connection.execute(_query("list_jobs"))]


def _status(row: tuple[Any, ...]) -> JobStatus:
    return JobStatus(
        name=row[0],
        schedule=str(Schedule(row[1], row[2])),
        is_enabled=row[3],
        next_due_at=row[4],
        overdue_seconds=float(row[5]),
        running_since=row[6],
        failure_count=row[7],
        last_outcome=row[8],
        last_finished_at=row[9],
        last_seconds=None if row[10] is None else float(row[10]),
        last_done_count=row[11],
        last_error=row[12],
    )


def _query(name: str) -> str:
    return load_queries("tradewright.operations")[name]
