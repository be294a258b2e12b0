"""Archive months: write, read back, record, detach, drop; each step recorded, each begun again.

A month goes one way, step by step, and each step is done only when the one before is recorded. What
was cut off between two is found by what is recorded and by what is there, and goes on from there:
a file that was renamed and not recorded is held against the table again, a detach is finished, a
table that is gone is noted. Holds, times and the order of steps are kept by the database.
"""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import psycopg

from tradewright.core.errors import ErrorCode, StateError, TradewrightError
from tradewright.operations.archive import files, store
from tradewright.operations.archive.model import (
    Archive,
    ArchiveState,
    Month,
    MonthReport,
    Segment,
    file_name,
)
from tradewright.operations.archive.rows import AuditRow, Tally
from tradewright.postgres.connect import Session
from tradewright.postgres.refusals import translate
from tradewright.postgres.retry import SessionSource

Tell = Callable[[date, str], None]
"""Hears of each step of a month that was just done, before the next one."""

_Told = Callable[[str], None]


def months_to_archive(session: Session, named: date | None = None) -> list[Month]:
    """Return the months on which something is to be done, oldest first; of one, if it is named."""
    found = [month for month in store.read_months(session) if _is_in_turn(month, named)]
    return found if named is None else [month for month in found if month.month == named]


def _is_in_turn(month: Month, named: date | None) -> bool:
    match month.state:
        case None | ArchiveState.WRITTEN:
            return month.is_due and month.is_attached
        case ArchiveState.RESTORED:
            return month.is_due and (not month.is_kept or month.month == named)
        case ArchiveState.DETACHING | ArchiveState.DETACHED:
            return True
        case _:
            return False


def run(
    source: SessionSource, folder: Path, *, named: date | None = None, tell: Tell = lambda *_: None
) -> list[MonthReport]:
    """Archive each month whose turn it is, oldest first; return what was done about each.

    `source` gives sessions in autocommit of a member of the role that owns audit_log.

    Raises:
        StateError: ARCHIVE_BUSY, ARCHIVE_FOLDER_MISSING, ARCHIVE_WRITER_MISSING,
            ARCHIVE_FILE_DIFFERS, ARCHIVE_FILE_UNREADABLE, ARCHIVE_SEAL_BROKEN, RECORD_RESTORED,
            ARCHIVE_MONTH_CHANGED, ARCHIVE_MONTH_HELD.
        DatabaseError: among others DATABASE_TIMEOUT, when transactions hold up a detach.

    """
    require_folder(folder)
    try:
        with source() as session, store.claimed(session):
            found = months_to_archive(session, named)
            return [_archive(session, folder, month, tell) for month in found]
    except psycopg.Error as error:
        raise translate(error) from error


def require_folder(folder: Path) -> None:
    """Refuse a folder that is not there: one that was not mounted would be made in its place."""
    if not folder.is_dir():
        raise StateError(
            ErrorCode.ARCHIVE_FOLDER_MISSING,
            f'archive folder "{folder}" is not there',
            why="A folder that is made where a disk should be mounted would hide the archive.",
            hint="Mount it, or make it.",
        )


def _archive(session: Session, folder: Path, month: Month, tell: Tell) -> MonthReport:
    """Take a month as far as it may go now."""
    done: list[str] = []

    def told(step: str) -> None:
        done.append(step)
        tell(month.month, step)

    try:
        left = _go_on(session, folder, month, told)
    except TradewrightError as error:
        error.facts.setdefault("month", f"{month.month:%Y-%m}")
        raise
    return MonthReport(month.month, tuple(done), left)


def _go_on(session: Session, folder: Path, month: Month, tell: _Told) -> str:
    if month.state is None:
        store.refuse_counting_anew(session)
        waiting = store.unsealed_rows(session, month.month)
        if waiting:
            return f"{waiting} rows wait for a seal"
        _write(session, folder, month.month, tell)
    if month.state in (None, ArchiveState.WRITTEN, ArchiveState.RESTORED):
        if month.is_held:
            return "it is held"
        if not store.outlive_older(session):
            return "older transactions do not end"
        _begin_detach(session, folder, month.month, tell)
    if month.state is not ArchiveState.DETACHED:
        store.detach(session, month.month)
        tell("detached")
        store.take_step(session, month.month, ArchiveState.DETACHED)
        tell("detachment recorded")
    return _drop(session, month.month, tell)


def _write(session: Session, folder: Path, month: date, tell: _Told) -> None:
    """Write the file and the manifest, read them back, and record what they hold."""
    place = folder / file_name(month)
    table, segments = _written_aside(session, place, month)
    tell("file written")
    files.put_in_place(files.aside(place), place)
    tell("file in place")
    read = files.read_tally(place)
    _refuse_other_rows(place, read, table)
    facts = files.facts_of(place)
    files.write_manifest(folder, month, files.manifest_facts(month, read, facts, segments))
    tell("file read back")
    store.record_archive(session, month, read, facts, segments)
    tell("recorded")


def _written_aside(session: Session, place: Path, month: date) -> tuple[Tally, list[Segment]]:
    """Write the rows of a month aside, from one snapshot in which its seals hold."""
    tally = Tally()

    def counted() -> Iterator[AuditRow]:
        for row, row_hash in store.stream_rows(session, month):
            tally.add(row, row_hash)
            yield row

    with session.transaction():
        store.in_one_snapshot(session)
        files.write_rows(files.aside(place), month, counted())
        segments = tally.segments(store.read_seals(session, tally))
        _refuse_bad_seals(session, month, tally, segments)
    return tally, segments


def _refuse_bad_seals(session: Session, month: date, tally: Tally, segments: list[Segment]) -> None:
    bad = store.bad_seals(session, segments)
    covered = sum(len(segment.txids) for segment in segments)
    if bad or covered != tally.row_count:
        why = f"Seal {bad[0]} is the first." if bad else f"They cover {covered} of its rows."
        raise StateError(
            ErrorCode.ARCHIVE_SEAL_BROKEN,
            f"month {month:%Y-%m} cannot be archived: its seals do not hold",
            why=why,
            hint="Keep the database as it is, and look at tradewright audit verify.",
        )


def _refuse_other_rows(place: Path, read: Tally, table: Tally) -> None:
    """Refuse a file that does not give back what the table holds."""
    at = read.first_difference(bytes(table.hashes))
    if at is None and (read.first_at, read.last_at) == (table.first_at, table.last_at):
        return
    raise StateError(
        ErrorCode.ARCHIVE_FILE_DIFFERS,
        f'archive file "{place.name}" holds other rows than the month',
        why=f"The file has {read.row_count} rows and the month {table.row_count}; "
        f"the first difference is at row {(at or 0) + 1}.",
        hint="Move the file away if it is of another house, and look at the disk if it is not.",
    )


def _begin_detach(session: Session, folder: Path, month: date, tell: _Told) -> None:
    """Note that a month is about to leave, once file and table hold what is recorded."""
    refuse_damaged_file(folder, store.find_archive(session, month))
    with session.transaction():
        store.refuse_changed_month(session, month)
        store.take_step(session, month, ArchiveState.DETACHING)
    tell("detaching")


def refuse_damaged_file(folder: Path, archive: Archive) -> None:
    """Refuse to go on with a file that is missing or is not the one that was recorded."""
    place = folder / file_name(archive.month)
    facts = files.facts_of(place) if place.is_file() else None
    if facts is None or facts.sha256 != archive.file_sha256:
        what = "is not there" if facts is None else "is not the one that was written"
        raise StateError(
            ErrorCode.ARCHIVE_FILE_DIFFERS,
            f'archive file "{place.name}" {what}',
            why=f"Recorded is sha256 {archive.file_sha256}"
            + (f", and the file has {facts.sha256}." if facts else "."),
            hint="Give the folder that holds it, or take a copy of the file from a backup.",
        )


def _drop(session: Session, month: date, tell: _Told) -> str:
    """Drop the table of a detached month, if its time has come; return why not."""
    (now,) = (found for found in store.read_months(session) if found.month == month)
    if now.is_held:
        return "it is held"
    try:
        store.drop_month(session, month)
    except psycopg.Error as error:
        told = translate(error)
        if told.code is ErrorCode.ARCHIVE_TOO_EARLY:
            return f"its table is dropped from {now.droppable_on} on"
        raise told from error
    tell("dropped")
    return ""
