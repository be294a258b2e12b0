"""Bring a month back into the audit log exactly as it was, and let go of what need not be kept."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import psycopg

from tradewright.audit import acting_as
from tradewright.core.errors import ErrorCode, StateError
from tradewright.operations.archive import files, store
from tradewright.operations.archive.model import Archive, ArchiveState, MonthReport, file_name
from tradewright.operations.archive.run import refuse_damaged_file, require_folder
from tradewright.postgres.connect import Session
from tradewright.postgres.refusals import translate
from tradewright.postgres.retry import SessionSource


def restore(
    source: SessionSource,
    folder: Path | None,
    month: date,
    *,
    kept_until: date | None,
    by: tuple[str, str],
) -> Archive:
    """Bring a month back, as one transaction; return its archive.

    A month whose table stands detached is attached again; one without a table is loaded from its
    file in `folder`, held against its archive and attached. It stays until the day `kept_until`
    has passed, or without one until somebody archives it by its name; of one that was restored
    before, that alone is changed. `by` is who and why.

    Raises:
        StateError: ARCHIVE_UNKNOWN, ARCHIVE_STEP_REFUSED, ARCHIVE_MONTH_CHANGED, ARCHIVE_BUSY,
            ARCHIVE_FOLDER_MISSING, ARCHIVE_FILE_DIFFERS, ARCHIVE_FILE_UNREADABLE.

    """
    try:
        with source() as session, store.claimed(session):
            archive = store.find_archive(session, month)
            with session.transaction():
                acting_as(session, by[0], reason=by[1])
                if not archive.has_table and archive.state is not ArchiveState.PURGED:
                    _load(session, folder, archive)
                store.attach_month(session, month, kept_until)
            return store.find_archive(session, month)
    except psycopg.Error as error:
        raise translate(error) from error


def _load(session: Session, folder: Path | None, archive: Archive) -> None:
    if folder is None:
        raise StateError(
            ErrorCode.ARCHIVE_FOLDER_MISSING,
            f"month {archive.month:%Y-%m} is in its file only, and no folder is given",
            why="Its table was dropped.",
            hint="Give --folder, or TRADEWRIGHT_ARCHIVE.",
        )
    require_folder(folder)
    refuse_damaged_file(folder, archive)
    store.fill_month(session, archive.month, files.read_rows(folder / file_name(archive.month)))


def purgeable(session: Session) -> list[date]:
    """Return the months that need not be kept any more and that nobody holds, oldest first."""
    return [m for m, state in store.read_purgeable(session) if state is ArchiveState.DROPPED]


def purge(
    source: SessionSource, folder: Path, months: Sequence[date], *, by: tuple[str, str]
) -> list[MonthReport]:
    """Remove the files of months that need not be kept any more; return what became of each.

    Each is noted first, in a transaction in which no hold can come; files of months that were
    noted by a call that was cut off, or given another folder, are removed too. A file that is not
    the one that was recorded is somebody else's, and is never removed. Hashes and counts stay for
    the laws.

    Raises:
        StateError: ARCHIVE_STEP_REFUSED, ARCHIVE_TOO_EARLY, ARCHIVE_MONTH_HELD, ARCHIVE_BUSY,
            ARCHIVE_FILE_DIFFERS, ARCHIVE_FILE_UNWRITABLE.

    """
    require_folder(folder)
    try:
        with source() as session, store.claimed(session):
            for month in months:
                archive = store.find_archive(session, month)
                if (folder / file_name(month)).exists():
                    refuse_damaged_file(folder, archive)
                with session.transaction():
                    acting_as(session, by[0], reason=by[1])
                    store.take_step(session, month, ArchiveState.PURGED)
            purged = [m for m, state in store.read_purgeable(session) if state == "purged"]
            found = [_removed(folder, store.find_archive(session, month)) for month in purged]
            return [one for one in found if one.steps or one.month in months]
    except psycopg.Error as error:
        raise translate(error) from error


def _removed(folder: Path, archive: Archive) -> MonthReport:
    """Remove the file of a purged month, if it is in the folder."""
    place = folder / file_name(archive.month)
    if not place.is_file():
        return MonthReport(archive.month, (), f"{place.name} is not in this folder")
    if files.facts_of(place).sha256 != archive.file_sha256:
        return MonthReport(archive.month, (), f"{place.name} is another file")
    files.remove(place)
    return MonthReport(archive.month, ("file removed",))
