"""Hold archives against everything that is known of them: manifest, record, hashes, seals, table.

Nothing is changed. Whatever was touched, the file, a byte of it, the manifest, the record or a row
that is still at hand, is told of its month and as closely as it can be.
"""

from collections.abc import Iterator, Sequence
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
    Segment,
    file_name,
    manifest_name,
)
from tradewright.operations.archive.rows import Tally
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
    segments = store.read_segments(session, archive.month)
    for seq in store.bad_seals(session, segments):
        yield f"seal {seq} does not hold"
    if archive.has_table and store.may_archive(session):
        yield from _faults_of_table(session, archive)
    if archive.state is ArchiveState.PURGED:
        return
    place = folder / file_name(archive.month)
    if not place.is_file():
        yield f"{place.name} is missing"
        return
    facts = files.facts_of(place)
    if (facts.sha256, facts.bytes) != (archive.file_sha256, archive.file_bytes):
        yield f"{place.name} was changed: sha256 is {facts.sha256}, recorded {archive.file_sha256}"
    try:
        tally = files.read_tally(place)
    except StateError as error:
        yield f"{error.what}: {error.why}"
        return
    yield from _faults_of_rows(session, archive, tally, segments)
    yield from _faults_of_manifest(folder, archive, tally, (facts, segments))


def _faults_of_table(session: Session, archive: Archive) -> Iterator[str]:
    try:
        store.refuse_changed_month(session, archive.month)
    except psycopg.Error as error:
        yield translate(error).what


def _faults_of_rows(
    session: Session, archive: Archive, tally: Tally, segments: Sequence[Segment]
) -> Iterator[str]:
    kept = b"".join(segment.row_hashes for segment in segments)
    at = tally.first_difference(kept)
    if at is not None and at < tally.row_count:
        yield (
            f"row {tally.seqs[at]} of transaction {tally.txids[at]} in {file_name(archive.month)}"
            " is not what was sealed"
        )
    elif at is not None:
        yield f"{file_name(archive.month)} lacks rows that were sealed"
    if (tally.row_count, tally.digest().hex()) != (archive.row_count, archive.digest):
        yield f"count or digest of the rows is not as recorded ({archive.row_count} rows)"
    if (tally.first_at, tally.last_at) != (archive.first_at, archive.last_at):
        yield "the first and last instants of the rows are not as recorded"
    counts = {about: (n, about in tally.deleted) for about, n in tally.changes.items()}
    if store.read_counts(session, archive.month) != counts:
        yield "the kept counts of changes are not those of the rows"


def _faults_of_manifest(
    folder: Path, archive: Archive, tally: Tally, more: tuple[FileFacts, Sequence[Segment]]
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
