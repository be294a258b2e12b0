"""Values of sealing: the head of a seal, and what verification found."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """What became of what was sealed."""

    CHANGED = "changed"
    DELETED = "deleted"
    INSERTED = "inserted"
    MOVED = "moved"
    SEAL = "seal"


@dataclass(frozen=True, slots=True)
class LedgerHead:
    """A seal as it is exported: its number, what it covers up to here, and its head.

    `entries` and `transfers` count what this seal covers. `head` is sha256 in hexadecimal; it
    follows from all seals before, so one head stands for all that was sealed until then.
    """

    seq: int
    to_txid: int
    entries: int
    transfers: int
    head: str

    def as_line(self) -> str:
        """Return the head as one line of JSON, without the line's end."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The first thing of a seal that does not hold, and why.

    An entry is named by holder and version, a transfer by its id, the seal itself by neither.
    """

    seq: int
    kind: FaultKind
    reason: str
    holder_id: str | None = None
    version: int | None = None
    transfer_id: str | None = None

    @property
    def place(self) -> str:
        """Return in words where the fault is."""
        if self.holder_id is not None:
            return f"version {self.version} of holder {self.holder_id}"
        if self.transfer_id is not None:
            return f"transfer {self.transfer_id}"
        return f"seal {self.seq}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What verifying found: figures, and the first fault.

    `bad_pieces` counts what does not hold: segments of holders, the transfers of a seal, seals.
    `wrong_balances` are not sealed, but must be what the entries left: in amount, owner, currency.
    """

    seals: int
    entries_sealed: int
    transfers_sealed: int
    entries_unsealed: int
    bad_pieces: int
    wrong_balances: int
    fault: Fault | None

    @property
    def is_good(self) -> bool:
        """Whether every seal holds, and every balance is what its entries left."""
        return self.fault is None and not self.wrong_balances
