"""The files of an archive: written aside and renamed, read back, described by a manifest.

Parquet with exact types: uuid, int64, UTC microseconds, text; `changes` is the text of its jsonb,
so no number in it passes through a float. The package pyarrow is imported when a file is touched.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import file_digest
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

from tradewright.core.errors import ErrorCode, StateError
from tradewright.operations.archive.model import FORMAT, Segment, file_name, manifest_name
from tradewright.operations.archive.rows import AuditRow, Tally, row_hash

_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file's size and sha256 in hexadecimal."""

    bytes: int
    sha256: str


def aside(place: Path) -> Path:
    """Return where a file is written before it is put in its place."""
    return place.with_name(f".{place.name}.part")


def write_rows(path: Path, month: date, rows: Iterable[AuditRow]) -> None:
    """Write rows to a file, through to the disk.

    Raises:
        StateError: ARCHIVE_WRITER_MISSING.

    """
    arrow, parquet = _modules()
    with (
        path.open("wb") as handle,
        parquet.ParquetWriter(
            handle, _schema(arrow, month), compression="zstd", write_page_checksum=True
        ) as writer,
    ):
        rest = iter(rows)
        while batch := list(islice(rest, _ROWS_AT_ONCE)):
            writer.write_batch(_batch(arrow, month, batch))
    _settle(path)


def put_in_place(written: Path, place: Path) -> None:
    """Rename a file that is whole, and make the name last; a file that is there stays.

    It was put there by a run that was cut off, or it is somebody else's: its rows tell.
    """
    if place.exists():
        written.unlink()
    else:
        written.rename(place)
    _settle(place.parent)


def write_manifest(folder: Path, month: date, facts: dict[str, Any]) -> None:
    """Write the manifest of a month aside and rename it."""
    place = folder / manifest_name(month)
    written = aside(place)
    written.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    _settle(written)
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
    month: date, tally: Tally, file: FileFacts, segments: Sequence[Segment]
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
                "seq": segment.seal.seq,
                "from_txid": segment.seal.from_txid,
                "to_txid": segment.seal.to_txid,
                "rows": segment.seal.row_count,
                "rows_here": len(segment.txids),
                "head": segment.seal.head,
            }
            for segment in segments
        ],
    }


def facts_of(path: Path) -> FileFacts:
    """Return the size and the sha256 of a file."""
    with path.open("rb") as handle:
        return FileFacts(path.stat().st_size, file_digest(handle, "sha256").hexdigest())


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
            for batch in file.iter_batches(_ROWS_AT_ONCE):
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


def _settle(path: Path) -> None:
    """Wait until a file, or a folder's names, are on the disk."""
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
