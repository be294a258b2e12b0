"""Hold archives against everything that is known of them: manifest, record, hashes, seals, table.

Nothing is changed. Whatever was touched, the file, a byte of it, the manifest, the record or a row
that is still at hand, is told of its month and as closely as it can be.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import psycopg

from tradewright.core.errors import StateError
from tradewright.operations.archive import files, store
from tradewright.operations.archive.files import FileFacts
from tradewright.operations.archive.model import (
    Archive,
    ArchiveState,
    MonthCheck,
    Seal,
    file_name,
    manifest_name,
)
from tradewright.operations.archive.rows import HASH_BYTES, AuditRow, Changes, Tally, row_hash
from tradewright.operations.archive.run import require_folder
from tradewright.postgres.connect import Session
from tradewright.postgres.refusals import translate


def verify(session: Session, folder: Path, *, named: date | None = None) -> list[MonthCheck]:
    """Verify each archive that is to be there, or one; reads every file whole.

    `session` is in autocommit. Rows of a table that stands detached can be read by its owner only,
    so others' verification leaves them aside; of attached months the seals are held against rows.

    Raises:
        StateError: ARCHIVE_UNKNOWN, ARCHIVE_FOLDER_MISSING, ARCHIVE_WRITER_MISSING.

    """
    require_folder(folder)
    found = store.read_archives(session) if named is None else [store.find_archive(session, named)]
    return [
        MonthCheck(
            archive.month,
            archive.state,
            archive.row_count,
            tuple(_faults(session, folder, archive)),
        )
        for archive in found
    ]


def _faults(session: Session, folder: Path, archive: Archive) -> Iterator[str]:
    seals = store.read_kept_seals(session, archive.month)
    for seq in store.bad_seals(session, seals):
        yield f"seal {seq} does not hold"
    if archive.has_table and store.may_archive(session):
        yield from _faults_of_table(session, archive)
    if archive.state is ArchiveState.PURGED:
        return
    place = folder / file_name(archive.month)
    if not place.is_file():
        yield f"{place.name} is missing"
        return
    try:
        facts = files.facts_of(place)
        if (facts.sha256, facts.bytes) != (archive.file_sha256, archive.file_bytes):
            told = f"sha256 is {facts.sha256}, recorded {archive.file_sha256}"
            yield f"{place.name} was changed: {told}"
        read = _read(session, place, archive)
    except StateError as error:
        yield f"{error.what}: {error.why}"
        return
    yield from _faults_of_rows(session, archive, read)
    yield from _faults_of_manifest(folder, archive, read.tally, (facts, seals))


def _faults_of_table(session: Session, archive: Archive) -> Iterator[str]:
    try:
        store.refuse_changed_month(session, archive.month)
    except psycopg.Error as error:
        yield translate(error).what


@dataclass(slots=True)
class _Read:
    """What a file holds, and where it differs from the hashes that were kept."""

    tally: Tally = field(default_factory=Tally)
    changes: Changes = field(default_factory=Changes)
    other: AuditRow | None = None
    lacks: bool = False


def _read(session: Session, place: Path, archive: Archive) -> _Read:
    """Read a file once, holding each row against its hash as it comes."""
    read, kept = _Read(), _Kept(store.read_kept_hashes(session, archive.month))
    for row in files.read_rows(place):
        found = row_hash(row)
        read.tally.add(row, found)
        is_deleted = row.action == "delete"
        read.changes.add(row.table_name, str(row.row_id), count=1, is_deleted=is_deleted)
        if read.other is None and found != kept.next():
            read.other = row
    read.lacks = read.other is None and kept.next() != b""
    return read


class _Kept:
    """Hashes one by one out of the parts in which they are kept; empty behind the last."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts, self._part, self._at = parts, b"", 0

    def next(self) -> bytes:
        """Return the next hash."""
        if self._at == len(self._part):
            self._part, self._at = next(self._parts, b""), 0
        self._at += HASH_BYTES
        found = self._part[self._at - HASH_BYTES : self._at]
        self._at = min(self._at, len(self._part))
        return found


def _faults_of_rows(session: Session, archive: Archive, read: _Read) -> Iterator[str]:
    tally, name = read.tally, file_name(archive.month)
    if read.other is not None:
        yield (
            f"row {read.other.seq} of transaction {read.other.txid} in {name}"
            " is not what was sealed"
        )
    elif read.lacks:
        yield f"{name} lacks rows that were sealed"
    if (tally.row_count, tally.digest().hex()) != (archive.row_count, archive.digest):
        yield f"count or digest of the rows is not as recorded ({archive.row_count} rows)"
    if (tally.first_at, tally.last_at) != (archive.first_at, archive.last_at):
        yield "the first and last instants of the rows are not as recorded"
    if store.read_changes(session, archive.month) != read.changes:
        yield "the kept counts of changes are not those of the rows"


def _faults_of_manifest(
    folder: Path, archive: Archive, tally: Tally, more: tuple[FileFacts, Sequence[Seal]]
) -> Iterator[str]:
    name = manifest_name(archive.month)
    try:
        said = files.read_manifest(folder, archive.month)
    except StateError as error:
        yield f"{name} cannot be read: {error.why}"
        return
    found = files.manifest_facts(archive.month, tally, *more)
    wrong = [fact for fact in found if said.get(fact) != found[fact]]
    if wrong:
        yield f"{name} says otherwise than the file: {', '.join(wrong)}"
