"""Rows of an archive and their hashes, computed from a file alone.

The database hashes an audit row as the text of its jsonb (`audit_row_hash`, migration 003). This
says the same in a few lines, so that an auditor can hold a file against seals without a server:
keys by length and then by bytes, times in UTC without trailing zeros, `changes` as it was.
"""

import json
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from tradewright.operations.archive.model import Seal, Segment

HASH_BYTES = 32
_quoted = json.JSONEncoder(ensure_ascii=False).encode


class AuditRow(NamedTuple):
    """One row of the audit log, in the order of its columns; `changes` is the text of its jsonb."""

    id: UUID
    seq: int
    txid: int
    created_at: datetime
    actor: str
    database_role: str
    table_name: str
    row_id: UUID
    action: str
    changes: str
    reason: str | None


def row_hash(row: AuditRow) -> bytes:
    """Return sha256 over a zero byte and the row's text."""
    return sha256(b"\x00" + row_text(row).encode()).digest()


def row_text(row: AuditRow) -> str:
    """Return the row as PostgreSQL writes `to_jsonb(row)::text` in a session in UTC."""
    reason = "null" if row.reason is None else _quoted(row.reason)
    return (
        f'{{"id": "{row.id}", "seq": {row.seq}, "txid": {row.txid}, "actor": {_quoted(row.actor)},'
        f' "action": {_quoted(row.action)}, "reason": {reason}, "row_id": "{row.row_id}",'
        f' "changes": {row.changes}, "created_at": "{_instant(row.created_at)}",'
        f' "table_name": {_quoted(row.table_name)}, "database_role": {_quoted(row.database_role)}}}'
    )


def _instant(at: datetime) -> str:
    text = at.astimezone(UTC).replace(tzinfo=None).isoformat()
    return f"{text.rstrip('0') if '.' in text else text}+00:00"


class Tally:
    """What a month holds, gathered row by row in the order of seals (txid, seq)."""

    def __init__(self) -> None:
        self.txids = array("q")
        self.seqs = array("q")
        self.hashes = bytearray()
        self.first_at: datetime | None = None
        self.last_at: datetime | None = None
        self.changes: dict[tuple[str, str], int] = {}
        self.deleted: set[tuple[str, str]] = set()

    def add(self, row: AuditRow, digest: bytes) -> None:
        """Count one more row."""
        self.txids.append(row.txid)
        self.seqs.append(row.seq)
        self.hashes += digest
        at, about = row.created_at, (row.table_name, str(row.row_id))
        self.first_at = at if self.first_at is None or at < self.first_at else self.first_at
        self.last_at = at if self.last_at is None or at > self.last_at else self.last_at
        self.changes[about] = self.changes.get(about, 0) + 1
        if row.action == "delete":
            self.deleted.add(about)

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return len(self.txids)

    def digest(self) -> bytes:
        """Return sha256 over the sorted hashes: the same in whatever order rows are read."""
        return sha256(b"".join(sorted(_slices(self.hashes)))).digest()

    def segments(self, seals: Sequence[Seal]) -> list[Segment]:
        """Return the rows by the seals that cover them, without seals that cover none."""
        cuts = [(seal, *self._covered(seal)) for seal in seals]
        return [
            Segment(
                seal,
                self.txids[first:last],
                self.seqs[first:last],
                bytes(self.hashes[first * HASH_BYTES : last * HASH_BYTES]),
            )
            for seal, first, last in cuts
            if first < last
        ]

    def _covered(self, seal: Seal) -> tuple[int, int]:
        return bisect_left(self.txids, seal.from_txid), bisect_left(self.txids, seal.to_txid)

    def first_difference(self, hashes: bytes) -> int | None:
        """Return the place of the first row whose hash is another, or that one side lacks."""
        if bytes(self.hashes) == hashes:
            return None
        pairs = zip(_slices(self.hashes), _slices(hashes), strict=False)
        shorter = min(self.row_count, len(hashes) // HASH_BYTES)
        return next((place for place, (ours, kept) in enumerate(pairs) if ours != kept), shorter)


def _slices(hashes: bytes | bytearray) -> Iterator[bytes]:
    return (bytes(hashes[at : at + HASH_BYTES]) for at in range(0, len(hashes), HASH_BYTES))
