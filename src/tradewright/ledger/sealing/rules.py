"""Compare what was sealed with what is found, and name the first difference. No I/O.

Versions of a holder have no gaps, so a hash's place tells its version; the version itself is not
hashed. That is how an entry is known again that stands at another version than it was sealed at.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tradewright.ledger.sealing.model import FaultKind

HASH_BYTES = 32
ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class EntryDifference:
    """The first version at which the entries are not those that were sealed, and why."""

    version: int
    kind: FaultKind
    reason: str


@dataclass(frozen=True, slots=True)
class TransferDifference:
    """The first transfer, by id, that is not as it was sealed, and why."""

    transfer_id: bytes
    kind: FaultKind
    reason: str


def first_different_entry(
    first_version: int, sealed: bytes, found: Sequence[tuple[int, bytes]]
) -> EntryDifference | None:
    """Compare a holder's entries from a version on with the hashes that were sealed from it on.

    `sealed` are the hashes, one after the other; `found` are pairs of version and hash.
    """
    hashes = dict(enumerate(_pieces(sealed, HASH_BYTES), start=first_version))
    standing: dict[int, list[bytes]] = {}
    for version, digest in found:
        standing.setdefault(version, []).append(digest)
    for version, digest in hashes.items():
        here = standing.get(version, [])
        if here != [digest]:
            where = {each: at for at, each in reversed(found)}
            was = {each: at for at, each in hashes.items()}
            kind, reason = _what_became(digest, here, where, was)
            return EntryDifference(version, kind, reason)
    return None


def _what_became(
    digest: bytes, here: Sequence[bytes], where: Mapping[bytes, int], was: Mapping[bytes, int]
) -> tuple[FaultKind, str]:
    """Tell what became of an entry that does not stand alone where it was sealed."""
    now = where.get(digest)
    if digest in here:
        return FaultKind.INSERTED, "another entry stands beside the sealed one"
    if not here and now is None:
        return FaultKind.DELETED, "it was sealed and is gone"
    if not here or (now is not None and here[0] in was):
        return FaultKind.MOVED, f"what was sealed here stands at version {now}"
    if now is not None:
        return FaultKind.INSERTED, f"it was never sealed; what was sealed here stands at {now}"
    if here[0] in was:
        return FaultKind.DELETED, f"it is gone; what stands here was sealed at {was[here[0]]}"
    return FaultKind.CHANGED, "it does not say what was sealed"


def first_different_transfer(
    sealed: bytes, found: Sequence[tuple[bytes, bytes]]
) -> TransferDifference | None:
    """Compare the transfers of a seal's range with the ids and hashes that were sealed."""
    pairs = _pieces(sealed, ID_BYTES + HASH_BYTES)
    hashes = {piece[:ID_BYTES]: piece[ID_BYTES:] for piece in pairs}
    standing: dict[bytes, list[bytes]] = {}
    for transfer_id, digest in found:
        standing.setdefault(transfer_id, []).append(digest)
    for transfer_id in sorted(hashes.keys() | standing.keys()):
        here = standing.get(transfer_id, [])
        if transfer_id not in hashes:
            reason = "it stands among sealed transfers and was never sealed"
            return TransferDifference(transfer_id, FaultKind.INSERTED, reason)
        if not here:
            reason = "it was sealed and is gone from its transaction"
            return TransferDifference(transfer_id, FaultKind.DELETED, reason)
        if here != [hashes[transfer_id]]:
            reason = "it does not say what was sealed"
            return TransferDifference(transfer_id, FaultKind.CHANGED, reason)
    return None


def _pieces(whole: bytes, length: int) -> Iterator[bytes]:
    return (whole[start : start + length] for start in range(0, len(whole), length))
