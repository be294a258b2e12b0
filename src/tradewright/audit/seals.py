"""Seals over the audit log: made by the database, verified here, exported to another place.

A seal digests the audit rows of a range of ended transactions together with the seal before it.
The other append-only tables have a chain of their own (`records`), exported beside this one.
Whoever can rewrite rows can also rewrite seals, or remove the last ones; so each head is exported
to a place that this server cannot write, and verification compares with what was exported.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries


class Chain(StrEnum):
    """What a chain of seals is over: the audit log, or the other append-only tables."""

    AUDIT_LOG = "audit log"
    RECORDS = "records"


@dataclass(frozen=True, slots=True)
class Head:
    """A seal as it is exported: its number, the transactions below which it covers all, its head.

    `head` is sha256 in hexadecimal over the head before, the segment's digest and `to_txid`.
    """

    seq: int
    to_txid: int
    head: str
    chain: Chain = Chain.AUDIT_LOG

    def as_line(self) -> str:
        """Return the head as one line of JSON, without the line's end; it names no audit log."""
        facts: dict[str, int | str] = {"seq": self.seq, "to_txid": self.to_txid, "head": self.head}
        if self.chain is not Chain.AUDIT_LOG:
            facts["chain"] = self.chain.value
        return json.dumps(facts)


@dataclass(frozen=True, slots=True)
class Verification:
    """What verifying found: figures, and the first seal that does not hold with its reason."""

    seals: int
    rows_sealed: int
    rows_unsealed: int
    first_bad_seq: int | None
    reason: str

    @property
    def is_good(self) -> bool:
        """Whether every seal holds."""
        return self.first_bad_seq is None


def seal(connection: Session) -> int:
    """Seal the audit rows of all ended transactions; return how many rows were sealed now."""
    row = connection.execute(_queries()["seal"]).fetchone()
    return 0 if row is None else int(row[0])


def export_heads(
    connection: Session, *, chain: Chain = Chain.AUDIT_LOG, after_seq: int = 0
) -> list[Head]:
    """Return the heads of a chain's seals after `after_seq`, oldest first."""
    query = "heads" if chain is Chain.AUDIT_LOG else "record_heads"
    rows = connection.execute(_queries()[query], {"after_seq": after_seq})
    return [Head(row[0], row[1], row[2], chain) for row in rows]


def new_heads(connection: Session, known: Sequence[Head]) -> list[Head]:
    """Return the heads of the seals after those that a file holds, by chain, oldest first.

    Raises:
        StateError: RECORD_HEADS_DIFFER when the database has not the seals that the file holds: to
            go on with the file would mix two chains.

    """
    new: list[Head] = []
    for chain in Chain:
        faults = [*exported_faults(connection, known, chain)]
        if faults:
            raise _differing_heads(faults[0][0], chain)
        last = max((head.seq for head in known if head.chain is chain), default=0)
        new += export_heads(connection, chain=chain, after_seq=last)
    return new


def verify(connection: Session, exported: Sequence[Head] = ()) -> Verification:
    """Verify each seal against its rows, the chain, and the heads that were exported before."""
    bad = [(row[0], str(row[1])) for row in connection.execute(_queries()["bad_seals"])]
    bad += exported_faults(connection, exported, Chain.AUDIT_LOG)
    counts = connection.execute(_queries()["seal_counts"]).fetchone() or (0, 0, 0)
    first_bad, reason = min(bad, default=(None, ""))
    return Verification(counts[0], counts[1], counts[2], first_bad, reason)


def read_heads(lines: Iterable[str]) -> list[Head]:
    """Read heads from lines as `Head.as_line` wrote them; empty lines are skipped.

    Raises:
        InputError: INPUT_HEADS_MALFORMED, with the number of the line.

    """
    return [_read_head(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def exported_faults(
    connection: Session, exported: Sequence[Head], chain: Chain
) -> Iterator[tuple[int, str]]:
    """Give the seals of a chain that are not as they were exported, each with why."""
    kept = {head.seq: head for head in export_heads(connection, chain=chain)}
    for head in exported:
        if head.chain is not chain:
            continue
        if head.seq not in kept:
            yield head.seq, "The seal was exported and is gone."
        elif kept[head.seq] != head:
            yield head.seq, "The seal differs from the head that was exported."


def _differing_heads(seq: int, chain: Chain) -> StateError:
    """Return the error of a file of heads whose seals the database does not have."""
    return StateError(
        ErrorCode.RECORD_HEADS_DIFFER,
        f"seal {seq} of the {chain} is not the one that the file holds, or is gone",
        why="The database is another one, was put back to before the seal, or was rewritten.",
        hint="Keep the file, verify the audit log with it, and begin another file for this chain.",
        facts={"seal": seq},
    )


def _read_head(number: int, line: str) -> Head:
    try:
        given = json.loads(line)
        of_ledger = "entries" in given
        chain = Chain(given.get("chain", Chain.AUDIT_LOG))
        head = Head(int(given["seq"]), int(given["to_txid"]), str(given["head"]), chain)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise _malformed(number) from None
    if of_ledger:
        raise _malformed(number)
    return head


def _malformed(number: int) -> InputError:
    return InputError(
        ErrorCode.INPUT_HEADS_MALFORMED,
        f"line {number} of the exported heads cannot be read",
        why='A line is a JSON object such as {"seq": 1, "to_txid": 900, "head": "0a1b..."}.',
        hint="Give the file that `tradewright audit export` wrote.",
        facts={"line": number},
    )


def _queries() -> Mapping[str, str]:
    return load_queries("tradewright.audit")
