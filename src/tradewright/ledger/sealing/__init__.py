"""Seals over the ledger: made by the database, verified here down to the first entry that is bad.

Read `service` first; `rules` compares what was sealed with what is found, without I/O. What a seal
covers and how it is hashed is told in docs/explain/sealed-ledger.md.
"""

from tradewright.ledger.sealing.model import Fault, FaultKind, LedgerHead, Verification
from tradewright.ledger.sealing.service import (
    export_heads,
    new_heads,
    read_checkpoint,
    seal,
    verify,
)

__all__ = [
    "Fault",
    "FaultKind",
    "LedgerHead",
    "Verification",
    "export_heads",
    "new_heads",
    "read_checkpoint",
    "seal",
    "verify",
]
