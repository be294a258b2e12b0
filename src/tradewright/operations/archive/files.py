"""The files of an archive: written aside and renamed, read back, described by a manifest.

Parquet with exact types: uuid, int64, UTC microseconds, text; `changes` is the text of its jsonb,
so no number in it passes through a float. The package pyarrow is imported when a file is touched.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import file_digest
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

from tradewright.core.errors import ErrorCode, StateError
from tradewright.operations.archive.model import FORMAT, Seal, file_name, manifest_name
from tradewright.operations.archive.rows import AuditRow, Tally, row_hash

_ROWS_AT_ONCE = 10_000
_MODE = 0o640
"""The audit log tells of clients: what it holds is not for every user of the machine."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file's size and sha256 in hexadecimal."""

    bytes: int
    sha256: str


def aside(place: Path) -> Path:
    """Return where a file is written before it is put in its place."""
    return place.with_name(f".{place.name}.part")


def write_rows(path: Path, month: date, rows: Iterable[AuditRow]) -> None:
    """Write rows to a file, through to the disk; one that could not be written whole is removed.

    Raises:
        StateError: ARCHIVE_WRITER_MISSING, or ARCHIVE_FILE_UNWRITABLE.

    """
    arrow, parquet = _modules()
    with (
        _written(path),
        os.fdopen(_private(path), "wb") as handle,
        parquet.ParquetWriter(
            handle, _schema(arrow, month), compression="zstd", write_page_checksum=True
        ) as writer,
    ):
        rest = iter(rows)
        while batch := list(islice(rest, _ROWS_AT_ONCE)):
            writer.write_batch(_batch(arrow, month, batch))
        writer.close()
        handle.flush()
        os.fsync(handle.fileno())


def put_in_place(written: Path, place: Path) -> None:
    """Rename a file that is whole, and make the name last; a file that is there stays.

    It was put there by a run that was cut off, or it is somebody else's: its rows tell.
    """
    with _written(place):
        if place.exists():
            written.unlink()
        else:
            written.rename(place)
        _settle(place.parent)


def replace(written: Path, place: Path) -> None:
    """Let a file that is whole take the place of another, and make that last."""
    with _written(place):
        written.replace(place)
        _settle(place.parent)


def remove(place: Path) -> None:
    """Remove a file and the manifest beside it, and make that last.

    The file goes last, so that a removal that was cut off is begun again by who it belongs to.
    """
    with _written(place):
        place.with_suffix(".json").unlink(missing_ok=True)
        place.unlink(missing_ok=True)
        _settle(place.parent)


def write_manifest(folder: Path, month: date, facts: dict[str, Any]) -> None:
    """Write the manifest of a month aside and rename it."""
    place = folder / manifest_name(month)
    written = aside(place)
    with _written(written), os.fdopen(_private(written), "w", encoding="utf-8") as handle:
        handle.write(json.dumps(facts, indent=1) + "\n")
        handle.flush()
        os.fsync(handle.fileno())
    with _written(place):
        written.replace(place)
        _settle(folder)


def read_manifest(folder: Path, month: date) -> dict[str, Any]:
    """Read the manifest of a month.

    Raises:
        StateError: ARCHIVE_FILE_UNREADABLE.

    """
    place = folder / manifest_name(month)
    try:
        read = json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise _unreadable(place, "It is not there.") from error
    except (OSError, ValueError) as error:
        raise _unreadable(place, str(error)) from error
    return read if isinstance(read, dict) else {}


def manifest_facts(
    month: date, tally: Tally, file: FileFacts, seals: Sequence[Seal]
) -> dict[str, Any]:
    """Return what a manifest says; the same for the same rows and file."""
    return {
        "format": FORMAT,
        "month": f"{month:%Y-%m}",
        "file": file_name(month),
        "file_bytes": file.bytes,
        "file_sha256": file.sha256,
        "row_count": tally.row_count,
        "first_at": _text(tally.first_at),
        "last_at": _text(tally.last_at),
        "digest": tally.digest().hex(),
        "seals": [
            {
                "seq": seal.seq,
                "from_txid": seal.from_txid,
                "to_txid": seal.to_txid,
                "rows": seal.row_count,
                "rows_here": seal.rows_here,
                "head": seal.head,
            }
            for seal in seals
        ],
    }


def facts_of(path: Path) -> FileFacts:
    """Return the size and the sha256 of a file.

    Raises:
        StateError: ARCHIVE_FILE_UNREADABLE.

    """
    try:
        with path.open("rb") as handle:
            return FileFacts(path.stat().st_size, file_digest(handle, "sha256").hexdigest())
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error


def read_tally(path: Path) -> Tally:
    """Read a file of rows and hash each anew.

    Raises:
        StateError: ARCHIVE_WRITER_MISSING, or ARCHIVE_FILE_UNREADABLE.

    """
    tally = Tally()
    for row in read_rows(path):
        tally.add(row, row_hash(row))
    return tally


def read_rows(path: Path) -> Iterator[AuditRow]:
    """Read the rows of a file, some at a time, its checksums compared.

    Raises:
        StateError: ARCHIVE_WRITER_MISSING, or ARCHIVE_FILE_UNREADABLE.

    """
    arrow, parquet = _modules()
    try:
        with parquet.ParquetFile(path, page_checksum_verification=True) as file:
            if [(f.name, f.type) for f in file.schema_arrow] != list(_kinds(arrow).items()):
                raise _unreadable(path, "It has other columns than an archive.")
            # Asked for all groups at once, pyarrow keeps what it has read of each.
            for group in range(file.num_row_groups):
                for batch in file.iter_batches(_ROWS_AT_ONCE, row_groups=[group]):
                    columns = (column.to_pylist() for column in batch.columns)
                    yield from (AuditRow(*row) for row in zip(*columns, strict=True))
    except (arrow.ArrowException, OSError, ValueError, OverflowError) as error:
        raise _unreadable(path, str(error) or type(error).__name__) from error


def _unreadable(path: Path, why: str) -> StateError:
    return StateError(
        ErrorCode.ARCHIVE_FILE_UNREADABLE,
        f'archive file "{path.name}" cannot be read',
        why=why.strip().splitlines()[0],
        hint="Take a copy of the file from a backup, and verify it.",
    )


def _batch(arrow: Any, month: date, rows: Sequence[AuditRow]) -> Any:
    schema = _schema(arrow, month)
    columns = [
        _column(arrow, field.type, values)
        for field, values in zip(schema, zip(*rows, strict=True), strict=True)
    ]
    return arrow.RecordBatch.from_arrays(columns, schema=schema)


def _column(arrow: Any, kind: Any, values: Sequence[Any]) -> Any:
    if kind == arrow.uuid():
        stored = arrow.array([value.bytes for value in values], arrow.binary(16))
        return arrow.ExtensionArray.from_storage(kind, stored)
    return arrow.array(values, kind)


def _schema(arrow: Any, month: date) -> Any:
    fields = [arrow.field(name, kind, name == "reason") for name, kind in _kinds(arrow).items()]
    return arrow.schema(
        fields, {"tradewright.format": FORMAT, "tradewright.month": f"{month:%Y-%m}"}
    )


def _kinds(arrow: Any) -> dict[str, Any]:
    """Return the type of each column, in their order."""
    text, number, uuid = arrow.string(), arrow.int64(), arrow.uuid()
    return {
        "id": uuid,
        "seq": number,
        "txid": number,
        "created_at": arrow.timestamp("us", tz="UTC"),
        "actor": text,
        "database_role": text,
        "table_name": text,
        "row_id": uuid,
        "action": text,
        "changes": text,
        "reason": text,
    }


def _private(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE)


@contextmanager
def _written(place: Path) -> Iterator[None]:
    """Tell of a disk that is full or fails, and leave nothing of a file that was written aside."""
    try:
        yield
    except OSError as error:
        if place.suffix == ".part":
            place.unlink(missing_ok=True)
        raise StateError(
            ErrorCode.ARCHIVE_FILE_UNWRITABLE,
            f'archive file "{place.name}" could not be written',
            why=f"{error.strerror or error}.",
            hint="Make room in the folder, or mend its disk, and run it again: it goes on behind "
            "the last step that is recorded.",
            facts={"folder": place.parent},
        ) from error


def _settle(path: Path) -> None:
    """Wait until the names of a folder are on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _modules() -> tuple[ModuleType, ModuleType]:
    try:
        import pyarrow  # noqa: ICN001, PLC0415 - only when a file is touched
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise StateError(
            ErrorCode.ARCHIVE_WRITER_MISSING,
            "archive files cannot be written or read here",
            why="The package pyarrow writes and reads them, and it is not installed.",
            hint='Install it with: pip install "tradewright[archive]"',
        ) from error
    return pyarrow, parquet
