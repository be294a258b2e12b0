"""The only SQL of the archive: months, archives and their steps, holds, terms."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

from psycopg import sql

from tradewright.core.clock import monotonic_seconds, pause
from tradewright.core.errors import DatabaseError, ErrorCode, StateError
from tradewright.operations.archive.files import FileFacts
from tradewright.operations.archive.model import (
    Archive,
    ArchiveState,
    Hold,
    Month,
    Retention,
    Seal,
)
from tradewright.operations.archive.rows import AuditRow, Changes, Tally
from tradewright.postgres import session_locks
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.postgres.session_locks import SessionLock

_LOCK = SessionLock(name="archive", table="audit_archives")
_ROWS_AT_ONCE = 10_000
_ROWS_OF_A_PART = 65_536
_DETACH_SECONDS_MAX = 300
_OLDER_SECONDS_MAX = 300
_POLL_SECONDS = 0.05


@contextmanager
def claimed(session: Session) -> Iterator[None]:
    """Claim the archive for this session, in autocommit, which may then take its time.

    Raises:
        DatabaseError: DATABASE_PERMISSION_DENIED when the role is not a member of the owner's.
        StateError: ARCHIVE_BUSY when another session has it.

    """
    if not may_archive(session):
        raise DatabaseError(
            ErrorCode.DATABASE_PERMISSION_DENIED,
            "months can be archived by the owner of audit_log only",
            why="PostgreSQL lets nobody else detach, attach and drop partitions.",
            hint="Connect as a member of the role that runs migrations.",
        )
    session.execute(_query("without_deadlines"))
    with session.transaction():
        session.execute(_query("take_turn"))
        number = session_locks.try_lock(session, _LOCK)
    if number is None:
        raise StateError(
            ErrorCode.ARCHIVE_BUSY,
            "another session works on the archive",
            why="One at a time writes, detaches, drops or restores months.",
            hint="Wait for its end; of one that was killed, the server ends the session soon.",
        )
    try:
        yield
    finally:
        if not session.closed:
            session_locks.unlock(session, _LOCK, number)


def may_archive(session: Session) -> bool:
    """Tell whether this session has the rights of the owner of audit_log."""
    return bool(_one(session, "may_archive"))


def read_months(session: Session) -> list[Month]:
    """Read every month that has a table or an archive, oldest first."""
    return [_month(row) for row in session.execute(_query("months"))]


def _month(row: tuple[Any, ...]) -> Month:
    return Month(
        month=row[0],
        has_table=row[1],
        is_attached=row[2],
        is_pending=row[3],
        state=None if row[4] is None else ArchiveState(row[4]),
        is_due=row[5],
        is_held=row[6],
        is_droppable=row[7],
        droppable_on=row[8],
        kept_until=row[9],
        is_kept=row[10],
    )


def read_archives(session: Session, month: date | None = None) -> list[Archive]:
    """Read what is recorded of all archived months, or of one."""
    return [_archive(row) for row in session.execute(_query("archives"), {"month": month})]


def _archive(row: tuple[Any, ...]) -> Archive:
    return Archive(
        month=row[0],
        state=ArchiveState(row[1]),
        row_count=row[2],
        first_at=row[3],
        last_at=row[4],
        digest=row[5],
        file_bytes=row[6],
        file_sha256=row[7],
        written_at=row[8],
        detached_at=row[9],
        dropped_at=row[10],
        purged_at=row[11],
        kept_until=row[12],
        is_held=row[13],
        has_table=row[14],
    )


def find_archive(session: Session, month: date) -> Archive:
    """Read what is recorded of an archived month.

    Raises:
        StateError: ARCHIVE_UNKNOWN.

    """
    found = read_archives(session, month)
    if not found:
        raise StateError(
            ErrorCode.ARCHIVE_UNKNOWN,
            f"month {month:%Y-%m} was never archived",
            why="There is no row of it in audit_archives.",
            hint="See what is archived with tradewright archive list.",
        )
    return found[0]


def refuse_counting_anew(session: Session) -> None:
    """Raise TW041 when this server numbers transactions from below what is sealed."""
    session.execute(_query("refuse_counting_anew"))


def unsealed_rows(session: Session, month: date) -> int:
    """Count the rows of an attached month that no seal covers yet."""
    return int(_one(session, "unsealed_rows", month=month))


def stream_rows(session: Session, month: date) -> Iterator[tuple[AuditRow, bytes]]:
    """Read the rows of a month with the hashes that the server computes, some at a time."""
    query = _of_month(session, "month_rows", month)
    with session.cursor(name="archive") as cursor:
        cursor.itersize = _ROWS_AT_ONCE
        for row in cursor.execute(query):
            yield AuditRow(*row[:-1]), row[-1]


def in_one_snapshot(session: Session) -> None:
    """Let all that the open transaction reads be of one moment."""
    session.execute(_query("in_one_snapshot"))


def read_seals(session: Session, month: date, tally: Tally) -> list[Seal]:
    """Read the seals that cover the rows of a month."""
    if tally.txids is None:
        return []
    between = {"first": tally.txids[0], "last": tally.txids[1]}
    rows = session.execute(_of_month(session, "seals_of_month", month), between)
    return [Seal(*row) for row in rows]


def read_kept_seals(session: Session, month: date) -> list[Seal]:
    """Read the seals that cover rows of an archived month, by the hashes that were kept."""
    return [Seal(*row) for row in session.execute(_query("seals_of_archive"), {"month": month})]


def read_kept_hashes(session: Session, month: date) -> Iterator[bytes]:
    """Read the hashes that were kept of an archived month, in the order of seals, part by part."""
    for seal_seq, part in session.execute(_query("parts_of_archive"), {"month": month}).fetchall():
        facts = {"seal_seq": seal_seq, "month": month, "part": part}
        yield session.execute(_query("part_of_archive"), facts).fetchall()[0][0]


def bad_seals(session: Session, seals: Sequence[Seal]) -> list[int]:
    """Return which of the seals do not hold."""
    seqs = [seal.seq for seal in seals]
    return [row[0] for row in session.execute(_query("bad_seals"), {"seqs": seqs})]


def record_archive(
    session: Session, month: date, tally: Tally, file: FileFacts, seals: Sequence[Seal]
) -> None:
    """Record what a file holds, with what the laws need of it, in one transaction.

    That is read from the table, in a snapshot in which the table holds the rows of the file.
    """
    with session.transaction():
        in_one_snapshot(session)
        session.execute(_query("record_archive"), _recorded(month, tally, file))
        _keep_for_laws(session, month, seals, after=0)


def record_growth(
    session: Session, month: date, tally: Tally, file: FileFacts, seals: Sequence[Seal]
) -> None:
    """Record what a file holds that was written anew with rows that have come late.

    They are of seals that were made since, because none waited for its seal when the month was
    recorded; hashes and counts of the others stay.
    """
    with session.transaction():
        in_one_snapshot(session)
        session.execute(_query("record_growth"), _recorded(month, tally, file))
        _keep_for_laws(
            session, month, seals, after=int(_one(session, "last_kept_seal", month=month))
        )


def _recorded(month: date, tally: Tally, file: FileFacts) -> dict[str, object]:
    return {
        "month": month,
        "row_count": tally.row_count,
        "first_at": tally.first_at,
        "last_at": tally.last_at,
        "digest": tally.digest(),
        "file_bytes": file.bytes,
        "file_sha256": file.sha256,
    }


def _keep_for_laws(session: Session, month: date, seals: Sequence[Seal], *, after: int) -> None:
    """Keep hashes and counts of the rows that the seals after one cover."""
    refuse_changed_month(session, month)
    seqs = [seal.seq for seal in seals if seal.seq > after]
    kept = {"month": month, "rows_max": _ROWS_OF_A_PART, "seqs": seqs}
    session.execute(_of_month(session, "record_segments", month), kept)
    counted = {"month": month, "after_seal_seq": after}
    session.execute(_of_month(session, "record_counts", month), counted)


def rows_come_late(session: Session, month: date) -> int:
    """Count by how many rows the table of a month has grown since it was recorded."""
    return int(
        session.execute(_of_month(session, "rows_come_late", month), {"month": month}).fetchall()[
            0
        ][0]
    )


def read_changes(session: Session, month: date) -> Changes:
    """Read how often rows were changed in a month, and which were deleted there."""
    found = Changes()
    with session.transaction(), session.cursor(name="counts") as cursor:
        cursor.itersize = _ROWS_AT_ONCE
        for table, row_id, count, is_deleted in cursor.execute(
            _query("counts").encode(), {"month": month}
        ):
            found.add(table, row_id, count=count, is_deleted=is_deleted)
    return found


def record_file(session: Session, month: date, file: FileFacts) -> None:
    """Record the file that was written anew for a month whose table is there."""
    facts = {"month": month, "file_bytes": file.bytes, "file_sha256": file.sha256}
    session.execute(_query("record_file"), facts)


def take_step(session: Session, month: date, state: ArchiveState) -> None:
    """Let an archived month come to another state; the database refuses what is not its turn."""
    session.execute(_query("take_step"), {"month": month, "state": state})


def outlive_older(session: Session) -> bool:
    """Wait until all transactions that run now have ended; return whether they have in time.

    One that began before an archive was recorded sees neither it nor, after the detach, the rows.
    """
    older, deadline = _running(session), monotonic_seconds() + _OLDER_SECONDS_MAX
    while older & _running(session):
        if monotonic_seconds() > deadline:
            return False
        pause(_POLL_SECONDS)
    return True


def _running(session: Session) -> set[str]:
    return {row[0] for row in session.execute(_query("running"))}


def detach(session: Session, month: date) -> None:
    """Detach a month beside writers, or finish a detach that was cut off; again is harmless.

    Waits for transactions that began before, five minutes at most; then it is cancelled and left
    to be finished by the next call.
    """
    row = session.execute(_query("detach_statement"), {"month": month}).fetchone()
    if row is None:
        return
    (before,) = session.execute(_query("lock_timeout")).fetchall()
    session.execute(_query("with_deadline"), {"limit": f"{_DETACH_SECONDS_MAX}s"})
    try:
        session.execute(str(row[0]).encode())
    finally:
        if not session.closed:
            session.execute(_query("without_deadline"), {"lock_timeout": before[0]})


def drop_month(session: Session, month: date) -> None:
    """Drop the table of a detached month whose rows are those of its archive."""
    session.execute(_query("drop_month"), {"month": month})


def fill_month(session: Session, month: date, rows: Iterator[AuditRow]) -> None:
    """Build the table of a month aside and fill it, in the caller's transaction."""
    statement = str(_one(session, "build_month", month=month))
    with session.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for row in rows:
            copy.write_row(row)


def attach_month(session: Session, month: date, kept_until: date | None) -> None:
    """Bring a month back into audit_log whose table holds the rows of its archive."""
    session.execute(_query("attach_month"), {"month": month, "kept_until": kept_until})


def refuse_changed_month(session: Session, month: date) -> None:
    """Raise TW073 when the table of a month holds other rows than its archive."""
    session.execute(_query("refuse_changed_month"), {"month": month})


def read_purgeable(session: Session) -> list[tuple[date, ArchiveState]]:
    """Read the months that need not be kept any more, and those that were purged."""
    return [(row[0], ArchiveState(row[1])) for row in session.execute(_query("purgeable"))]


def read_retention(session: Session) -> Retention:
    """Read how long the audit log is kept."""
    row = session.execute(_query("retention")).fetchone() or ()
    return Retention(**dict(zip(Retention.__struct_fields__, row, strict=True)))


def change_retention(session: Session, retention: Retention) -> None:
    """Change how long the audit log is kept."""
    facts = {name: getattr(retention, name) for name in Retention.__struct_fields__}
    session.execute(_query("change_retention"), facts)


def hold(session: Session, from_month: date | None, to_month: date | None, **said: str) -> str:
    """Hold months; return the hold's id."""
    return str(_one(session, "hold", from_month=from_month, to_month=to_month, **said))


def lift(session: Session, hold_id: str, **said: str) -> bool:
    """Lift a hold; return whether there was one that stood."""
    return session.execute(_query("lift"), {"id": hold_id, **said}).fetchone() is not None


def read_holds(session: Session, *, with_lifted: bool) -> list[Hold]:
    """Read the holds, oldest first."""
    rows = session.execute(_query("holds"), {"with_lifted": with_lifted})
    return [_hold(row) for row in rows]


def _hold(row: tuple[Any, ...]) -> Hold:
    return Hold(
        id=row[0],
        from_month=row[1],
        to_month=row[2],
        actor=row[3],
        reason=row[4],
        held_at=row[5],
        lifted_by=row[6],
        lift_reason=row[7],
        lifted_at=row[8],
    )


def _one(session: Session, name: str, **facts: object) -> Any:
    row = session.execute(_query(name), facts).fetchone()
    return None if row is None else row[0]


def _of_month(session: Session, name: str, month: date) -> sql.Composed:
    """Return a query on the table of a month, attached or not."""
    table = sql.Identifier(str(_one(session, "month_table", month=month)))
    return sql.SQL(_query(name)).format(table=table)


def _query(name: str) -> str:
    return load_queries("tradewright.operations.archive")[name]
