"""Archive months: write, read back, record, detach, drop; each step recorded, each begun again.

A month goes one way, step by step, and each step is done only when the one before is recorded. What
was cut off between two is found by what is recorded and by what is there, and goes on from there:
a file that was renamed and not recorded is held against the table again, a detach is finished, a
table that is gone is noted. Holds, times and the order of steps are kept by the database.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

import psycopg

from tradewright.audit import acting_as
from tradewright.core.errors import ErrorCode, StateError, TradewrightError
from tradewright.operations.archive import files, store
from tradewright.operations.archive.model import (
    Archive,
    ArchiveState,
    Month,
    MonthReport,
    Seal,
    file_name,
)
from tradewright.operations.archive.rows import AuditRow, Tally
from tradewright.postgres.connect import Session
from tradewright.postgres.refusals import translate
from tradewright.postgres.retry import SessionSource

Tell = Callable[[date, str], None]
"""Hears of each step of a month that was just done, before the next one."""

_Told = Callable[[str], None]

_OF_ONE_MONTH = frozenset(
    {
        ErrorCode.ARCHIVE_FILE_DIFFERS,
        ErrorCode.ARCHIVE_FILE_UNREADABLE,
        ErrorCode.ARCHIVE_MONTH_CHANGED,
        ErrorCode.ARCHIVE_SEAL_BROKEN,
    }
)
"""What is wrong with one month keeps no other from its turn."""


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

    What is wrong with one month is raised when the others have had their turn. `source` gives
    sessions in autocommit of a member of the role that owns audit_log.

    Raises:
        StateError: ARCHIVE_BUSY, ARCHIVE_FOLDER_MISSING, ARCHIVE_WRITER_MISSING,
            ARCHIVE_FILE_DIFFERS, ARCHIVE_FILE_UNREADABLE, ARCHIVE_FILE_UNWRITABLE,
            ARCHIVE_SEAL_BROKEN, RECORD_RESTORED, ARCHIVE_MONTH_CHANGED, ARCHIVE_MONTH_HELD.
        DatabaseError: among others DATABASE_TIMEOUT, when transactions hold up a detach.

    """
    require_folder(folder)
    try:
        with source() as session, store.claimed(session):
            return _each(session, folder, months_to_archive(session, named), tell)
    except psycopg.Error as error:
        raise translate(error) from error


def _each(session: Session, folder: Path, months: Sequence[Month], tell: Tell) -> list[MonthReport]:
    reports: list[MonthReport] = []
    wrong: list[TradewrightError] = []
    for month in months:
        try:
            reports.append(_archive(session, folder, month, tell))
        except TradewrightError as error:
            if error.code not in _OF_ONE_MONTH:
                raise
            wrong.append(error)
    if wrong:
        raise wrong[0]
    return reports


def rewrite(source: SessionSource, folder: Path, month: date, *, by: tuple[str, str]) -> Archive:
    """Write the file of a month anew whose table is still there, because it was lost; return it.

    A file that is there and gives back the same rows is taken for it. `by` is who and why.

    Raises:
        StateError: ARCHIVE_UNKNOWN, ARCHIVE_STEP_REFUSED without a table, ARCHIVE_MONTH_CHANGED,
            and what `run` raises of writing.

    """
    require_folder(folder)
    try:
        with source() as session, store.claimed(session):
            _refuse_without_table(store.find_archive(session, month))
            store.refuse_changed_month(session, month)
            _, facts, _ = _written(session, folder, month, lambda _: None)
            with session.transaction():
                acting_as(session, by[0], reason=by[1])
                store.record_file(session, month, facts)
            return store.find_archive(session, month)
    except psycopg.Error as error:
        raise translate(error) from error


def _refuse_without_table(archive: Archive) -> None:
    if not archive.has_table:
        raise StateError(
            ErrorCode.ARCHIVE_STEP_REFUSED,
            f"the file of {archive.month:%Y-%m} cannot be written anew: the month is "
            f"{archive.state}",
            why="Only its table has the rows that a file is written from.",
            hint="Take a copy of the file from a backup.",
        )


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
    except (psycopg.Error, TradewrightError) as error:
        said = translate(error) if isinstance(error, psycopg.Error) else error
        said.facts.setdefault("month", f"{month.month:%Y-%m}")
        raise said from error
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
        if store.rows_come_late(session, month.month) > 0:
            waiting = store.unsealed_rows(session, month.month)
            if waiting:
                return f"{waiting} rows wait for a seal"
            _take_in(session, folder, month.month, tell)
        _begin_detach(session, folder, month.month, tell)
    if month.state is not ArchiveState.DETACHED:
        store.detach(session, month.month)
        tell("detached")
        store.take_step(session, month.month, ArchiveState.DETACHED)
        tell("detachment recorded")
    return _drop(session, folder, month.month, tell)


def _write(session: Session, folder: Path, month: date, tell: _Told) -> None:
    """Write the file and the manifest, read them back, and record what they hold."""
    read, facts, seals = _written(session, folder, month, tell)
    store.record_archive(session, month, read, facts, seals)
    tell("recorded")


def _written(
    session: Session, folder: Path, month: date, tell: _Told
) -> tuple[Tally, files.FileFacts, list[Seal]]:
    """Write the file and the manifest of a month, and read them back."""
    place = folder / file_name(month)
    table, seals = _written_aside(session, place, month)
    tell("file written")
    files.put_in_place(files.aside(place), place)
    tell("file in place")
    read = files.read_tally(place)
    _refuse_other_rows(place, read, table)
    facts = files.facts_of(place)
    files.write_manifest(folder, month, files.manifest_facts(month, read, facts, seals))
    tell("file read back")
    return read, facts, seals


def _take_in(session: Session, folder: Path, month: date, tell: _Told) -> None:
    """Write the file of a month anew with the rows that have come since it was recorded.

    A server whose clock was put back writes into a month that is over. The file in its place is
    the one that was recorded, or that of a run which was cut off before it recorded its own.
    """
    place, archive = folder / file_name(month), store.find_archive(session, month)
    table, seals = _written_aside(session, place, month)
    try:
        _refuse_other_file(place, archive, table)
        written = files.read_tally(files.aside(place))
        _refuse_other_rows(files.aside(place), written, table)
        files.replace(files.aside(place), place)
    except BaseException:
        files.aside(place).unlink(missing_ok=True)
        raise
    facts = files.facts_of(place)
    files.write_manifest(folder, month, files.manifest_facts(month, written, facts, seals))
    tell("file written anew")
    store.record_growth(session, month, written, facts, seals)
    tell("late rows recorded")


def _refuse_other_file(place: Path, archive: Archive, table: Tally) -> None:
    """Refuse to replace a file that neither is the recorded one nor holds what the table does."""
    if not place.is_file() or files.facts_of(place).sha256 == archive.file_sha256:
        return
    _refuse_other_rows(place, files.read_tally(place), table)


def _written_aside(session: Session, place: Path, month: date) -> tuple[Tally, list[Seal]]:
    """Write the rows of a month aside, from one snapshot in which its seals hold."""
    tally = Tally()

    def counted() -> Iterator[AuditRow]:
        for row, row_hash in store.stream_rows(session, month):
            tally.add(row, row_hash)
            yield row

    try:
        with session.transaction():
            store.in_one_snapshot(session)
            files.write_rows(files.aside(place), month, counted())
            seals = store.read_seals(session, month, tally)
            _refuse_bad_seals(session, month, tally, seals)
    except BaseException:
        files.aside(place).unlink(missing_ok=True)
        raise
    return tally, seals


def _refuse_bad_seals(session: Session, month: date, tally: Tally, seals: list[Seal]) -> None:
    bad = store.bad_seals(session, seals)
    covered = sum(seal.rows_here for seal in seals)
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
    differing = read.first_difference(table)
    if differing is None and (read.first_at, read.last_at) == (table.first_at, table.last_at):
        return
    raise StateError(
        ErrorCode.ARCHIVE_FILE_DIFFERS,
        f'archive file "{place.name}" holds other rows than the month',
        why=f"The file has {read.row_count} rows and the month {table.row_count}; "
        + ("they differ in their times." if differing is None else _between(*differing)),
        hint="Move the file away if it is of another house, and look at the disk if it is not.",
    )


def _between(first: int, last: int) -> str:
    return f"the first difference is among rows {first} to {last}."


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
            hint="Give the folder that holds it, or take a copy of the file from a backup; while "
            "the table is there, `tradewright archive rewrite` writes it anew.",
        )


def _drop(session: Session, folder: Path, month: date, tell: _Told) -> str:
    """Drop the table of a detached month, if its time has come; return why not.

    Behind this only the file has the rows, so it is read once more, whole.
    """
    (now,) = (found for found in store.read_months(session) if found.month == month)
    if now.is_held:
        return "it is held"
    if not now.is_droppable:
        return f"its table is dropped from {now.droppable_on} on"
    refuse_damaged_file(folder, store.find_archive(session, month))
    try:
        store.drop_month(session, month)
    except psycopg.errors.LockNotAvailable:
        return "its table is being read"
    tell("dropped")
    return ""
