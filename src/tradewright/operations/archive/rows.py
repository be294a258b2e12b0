"""Rows of an archive and their hashes, computed from a file alone.

The database hashes an audit row as the text of its jsonb (`audit_row_hash`, migration 003). This
says the same in a few lines, so that an auditor can hold a file against seals without a server:
keys by length and then by bytes, times in UTC without trailing zeros, `changes` as it was.
"""

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

HASH_BYTES = 32
BLOCK_ROWS = 65_536
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
    """What a month holds, gathered row by row in the order of seals (txid, seq).

    It takes the same memory for any number of rows, but 32 bytes for each block of them.
    """

    def __init__(self) -> None:
        self.row_count = 0
        self.txids: tuple[int, int] | None = None
        self.first_at: datetime | None = None
        self.last_at: datetime | None = None
        self._blocks: list[bytes] = []
        self._block = sha256()

    def add(self, row: AuditRow, digest: bytes) -> None:
        """Count one more row."""
        at = row.created_at
        self.txids = (row.txid if self.txids is None else self.txids[0], row.txid)
        self.first_at = at if self.first_at is None or at < self.first_at else self.first_at
        self.last_at = at if self.last_at is None or at > self.last_at else self.last_at
        self._block.update(digest)
        self.row_count += 1
        if self.row_count % BLOCK_ROWS == 0:
            self._blocks.append(self._block.digest())
            self._block = sha256()

    def digest(self) -> bytes:
        """Return sha256 over the digests of all blocks; each is over the hashes of its rows."""
        return sha256(b"".join(self.all_blocks())).digest()

    def first_difference(self, other: "Tally") -> tuple[int, int] | None:
        """Return the first and the last row of the block in which another tally differs first."""
        ours, theirs = self.all_blocks(), other.all_blocks()
        if ours == theirs:
            return None
        shared = min(len(ours), len(theirs))
        block = next((n for n in range(shared) if ours[n] != theirs[n]), shared)
        last = max(self.row_count, other.row_count)
        return block * BLOCK_ROWS + 1, min((block + 1) * BLOCK_ROWS, last)

    def all_blocks(self) -> list[bytes]:
        """Return the digest of each block, the one that is begun too."""
        is_begun = self.row_count % BLOCK_ROWS > 0
        return [*self._blocks, *([self._block.digest()] if is_begun else [])]


class Changes:
    """How often rows were changed and which were deleted, as sums that do not grow with them.

    What is added is sha256 over the changed row, as a number, so that neither rows that were mixed
    up nor counts that make up for each other give the same sum.
    """

    def __init__(self) -> None:
        self._sum = 0
        self._deleted: set[bytes] = set()

    def add(self, table: str, row_id: str, *, count: int, is_deleted: bool) -> None:
        """Count some changes of a row."""
        about = sha256(f"{table} {row_id}".encode()).digest()
        self._sum += count * int.from_bytes(about)
        if is_deleted:
            self._deleted.add(about)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Changes):
            return NotImplemented
        return (self._sum, self._deleted) == (other._sum, other._deleted)

    __hash__ = None  # type: ignore[assignment]
