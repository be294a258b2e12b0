"""Seal the ledger, export heads, and verify: the entries, the seals, and what was exported.

Whoever can rewrite entries can also rewrite seals, or remove the last ones; so each head is
exported to a place that this server cannot write, and verification compares with what was exported.
"""

import json
from collections.abc import Iterable, Sequence
from uuid import UUID

from tradewright.core.errors import ErrorCode, InputError, InternalError, StateError
from tradewright.ledger.sealing.model import Fault, FaultKind, LedgerHead, Verification
from tradewright.ledger.sealing.rules import first_different_entry, first_different_transfer
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries


def seal(connection: Session) -> tuple[int, int]:
    """Seal what was committed since the last seal; return how many entries and transfers.

    Makes as many seals as the transfers need; all of them in the caller's transaction if one is
    open. Entries of transactions that still run wait for the next seal.
    """
    entries, transfers = 0, 0
    while True:
        row = connection.execute(_query("seal")).fetchone()
        if row is None or row[0] is None:
            return entries, transfers
        entries, transfers = entries + row[1], transfers + row[2]


def export_heads(connection: Session, *, after_seq: int = 0) -> list[LedgerHead]:
    """Return the heads of the seals after `after_seq`, oldest first."""
    rows = connection.execute(_query("heads"), {"after_seq": after_seq})
    return [LedgerHead(*row) for row in rows]


def new_heads(connection: Session, known: Sequence[LedgerHead]) -> list[LedgerHead]:
    """Return the heads of the seals after those that a file holds, oldest first.

    Raises:
        StateError: RECORD_HEADS_DIFFER when the database has not the seals that the file holds: to
            go on with the file would mix two chains.

    """
    faults = [*_exported_faults(connection, known)]
    if faults:
        raise _differing_heads(faults[0].seq)
    return export_heads(connection, after_seq=max((head.seq for head in known), default=0))


def verify(connection: Session, exported: Sequence[LedgerHead] = ()) -> Verification:
    """Verify every seal against entries and transfers, the chain, and what was exported before.

    A seal covers entries; that balances are what the entries left is looked at beside it. Reads the
    whole ledger. Beside writers it needs no lock: what is sealed no longer changes.
    """
    bad = connection.execute(_query("bad_pieces")).fetchall()
    faults = [*_exported_faults(connection, exported)]
    if bad:
        faults.append(_first_fault(connection, *bad[0]))
    counts = connection.execute(_query("seal_counts")).fetchone() or (0, 0, 0, 0)
    wrong = connection.execute(_query("wrong_balances")).fetchone() or (0,)
    return Verification(
        seals=counts[0],
        entries_sealed=counts[1],
        transfers_sealed=counts[2],
        entries_unsealed=counts[3],
        bad_pieces=len(bad),
        wrong_balances=wrong[0],
        fault=min(
            faults, key=lambda fault: (fault.seq, fault.kind is FaultKind.SEAL), default=None
        ),
    )


def read_checkpoint(lines: Iterable[str]) -> list[LedgerHead]:
    """Read heads from lines as `LedgerHead.as_line` wrote them; empty lines are skipped.

    Raises:
        InputError: INPUT_HEADS_MALFORMED, with the number of the line.

    """
    return [_read_head(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _first_fault(
    connection: Session, seq: int, holder_id: str | None, from_version: int | None, fault: str
) -> Fault:
    """Look into the first piece that does not hold."""
    if holder_id is not None and from_version is not None:
        return _entry_fault(connection, seq, holder_id, from_version)
    if fault == "transfers":
        return _transfer_fault(connection, seq)
    reason = "its segments, figures or head are not those that follow from the seal before it"
    return Fault(seq=seq, kind=FaultKind.SEAL, reason=reason)


def _entry_fault(connection: Session, seq: int, holder_id: str, from_version: int) -> Fault:
    place = {"holder_id": holder_id, "from_version": from_version}
    sealed = connection.execute(_query("sealed_entries"), place).fetchone() or (b"",)
    found = connection.execute(_query("found_entries"), place).fetchall()
    different = first_different_entry(from_version, sealed[0], [(row[0], row[1]) for row in found])
    if different is None:
        raise _moved_on(seq)
    return Fault(
        seq=seq,
        kind=different.kind,
        reason=different.reason,
        holder_id=holder_id,
        version=different.version,
    )


def _transfer_fault(connection: Session, seq: int) -> Fault:
    sealed = connection.execute(_query("sealed_transfers"), {"seq": seq}).fetchone() or (b"",)
    found = connection.execute(_query("found_transfers"), {"seq": seq}).fetchall()
    different = first_different_transfer(sealed[0], [(row[0], row[1]) for row in found])
    if different is None:
        raise _moved_on(seq)
    transfer_id = str(UUID(bytes=different.transfer_id))
    kind, reason = different.kind, different.reason
    exists = connection.execute(_query("transfer_exists"), {"id": transfer_id}).fetchone()
    if kind is FaultKind.DELETED and exists == (True,):
        kind, reason = FaultKind.CHANGED, "it names another transaction of the database than sealed"
    return Fault(seq=seq, kind=kind, reason=reason, transfer_id=transfer_id)


def _moved_on(seq: int) -> InternalError:
    """Return the error of rows that differed a moment ago and no longer do."""
    return InternalError(
        ErrorCode.INTERNAL_LAW_BROKEN,
        f"seal {seq} of the ledger did not hold a moment ago and does now",
        why="Sealed rows are being changed while they are verified.",
        hint="Keep the database as it is, find who writes past the ledger, and verify again.",
        facts={"seal": seq},
    )


def _differing_heads(seq: int) -> StateError:
    """Return the error of a checkpoint whose seals the database does not have."""
    return StateError(
        ErrorCode.RECORD_HEADS_DIFFER,
        f"seal {seq} of the ledger is not the one that the file holds, or is gone",
        why="The database is another one, was put back to before the seal, or was rewritten.",
        hint="Keep the file, verify the ledger with it, and begin another file for this chain.",
        facts={"seal": seq},
    )


def _exported_faults(connection: Session, exported: Sequence[LedgerHead]) -> Iterable[Fault]:
    kept = {head.seq: head for head in export_heads(connection)}
    for head in exported:
        if head.seq not in kept:
            reason = "it was exported and is gone, with all that was sealed since"
            yield Fault(seq=head.seq, kind=FaultKind.SEAL, reason=reason)
        elif kept[head.seq] != head:
            reason = "it is not the seal that was exported"
            yield Fault(seq=head.seq, kind=FaultKind.SEAL, reason=reason)


def _read_head(number: int, line: str) -> LedgerHead:
    try:
        given = json.loads(line)
        figures = [int(given[name]) for name in ("seq", "to_txid", "entries", "transfers")]
        return LedgerHead(figures[0], figures[1], figures[2], figures[3], str(given["head"]))
    except (ValueError, TypeError, KeyError):
        raise InputError(
            ErrorCode.INPUT_HEADS_MALFORMED,
            f"line {number} of the checkpoint cannot be read",
            why='A line is a JSON object with "seq", "to_txid", "entries", "transfers", "head".',
            hint="Give the file that `tradewright ledger checkpoint` wrote.",
            facts={"line": number},
        ) from None


def _query(name: str) -> str:
    return load_queries("tradewright.ledger.sealing")[name]
