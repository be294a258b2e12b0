"""Seals over the append-only tables that neither the ledger's seals nor the audit log's cover.

Which tables these are, the database tells by their guards (`append_only_tables`). Each row is kept
as its key and hash, so the first that was touched is named. `seals` exports the heads.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tradewright.audit.seals import Chain, Head, exported_faults
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

_REASONS = {
    "changed": "it does not say what was sealed",
    "deleted": "it was sealed and is gone",
    "form": "the table is gone, or refuses changes no more, or lacks a column that was sealed",
    "seal": "its rows, figures or head are not those that follow from the seal before it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFault:
    """The first thing of the records that does not hold, and why.

    A row is named by its table and the columns of its key, the seal itself by neither.
    """

    seq: int
    reason: str
    table: str | None = None
    row_key: str | None = None

    @property
    def place(self) -> str:
        """Return in words where the fault is."""
        if self.row_key is not None:
            return f"row {self.row_key} of {self.table}"
        return f"table {self.table}" if self.table is not None else f"seal {self.seq}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordVerification:
    """What verifying found: figures, how many things do not hold, and the first of them."""

    seals: int
    rows_sealed: int
    faults: int
    fault: RecordFault | None

    @property
    def is_good(self) -> bool:
        """Whether every seal holds."""
        return self.fault is None


def seal_records(connection: Session, *, whole: bool = False) -> int:
    """Seal the rows of all ended transactions; return how many.

    Reads the ends of the tables, and once a day, or if `whole` is asked for, all of them: what
    stands elsewhere, or had not ended when its neighbours were sealed, is met then.
    """
    row = connection.execute(
        load_queries("tradewright.audit")["seal_records"], {"whole": whole}
    ).fetchone()
    return 0 if row is None else int(row[0])


def verify_records(connection: Session, exported: Sequence[Head] = ()) -> RecordVerification:
    """Verify every sealed row, the chain, and the heads that were exported before.

    Reads the tables whole. Beside writers it needs no lock: what is sealed no longer changes.
    """
    queries = load_queries("tradewright.audit")
    bad = connection.execute(queries["record_faults"]).fetchall()
    faults = [
        RecordFault(seq=seq, reason=_REASONS[kind], table=table, row_key=key)
        for seq, table, key, kind in bad[:1]
    ]
    heads = [*exported_faults(connection, exported, Chain.RECORDS)]
    faults += [RecordFault(seq=seq, reason=reason) for seq, reason in heads]
    seals, rows = connection.execute(queries["record_seal_counts"]).fetchone() or (0, 0)
    first = min(faults, key=lambda fault: (fault.seq, fault.table is None), default=None)
    return RecordVerification(
        seals=seals, rows_sealed=rows, faults=len(bad) + len(heads), fault=first
    )
