"""The only writer of balances: transfers, entries and holds, one by one or by the thousand.

The SQL functions of migration 006 are the contract for any client and one operation at a time
(`functions`); `Journal` is the same rules for a batch that has locked its holders. Read `journal`
first. What a movement means in business is decided by the rooms above.
"""

from tradewright.ledger.functions import (
    LedgerReply,
    capture,
    credit,
    debit,
    expire_holds,
    move_between_houses,
    release,
    reserve,
    reverse,
    transfer_to_account,
    transfer_to_wallet,
)
from tradewright.ledger.journal import Journal
from tradewright.ledger.model import Holder, HolderKind, HouseCode, Movement
from tradewright.ledger.postings import MovementResult, post_movements
from tradewright.ledger.store import house_holder_ids

__all__ = [
    "Holder",
    "HolderKind",
    "HouseCode",
    "Journal",
    "LedgerReply",
    "Movement",
    "MovementResult",
    "capture",
    "credit",
    "debit",
    "expire_holds",
    "house_holder_ids",
    "move_between_houses",
    "post_movements",
    "release",
    "reserve",
    "reverse",
    "transfer_to_account",
    "transfer_to_wallet",
]
