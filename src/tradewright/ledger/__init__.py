"""The only writer of balances: transfers, entries and holds, one by one or by the thousand.

The SQL functions of migration 006 are the contract for any client and one operation at a time
(`functions`, `exchanges`, `wallets`); `Journal` is the same rules for a batch that has locked its
holders. Read `journal` first. What a movement means in business is decided by the rooms above.
"""

from tradewright.ledger.book import MovementResult, status_refusal
from tradewright.ledger.exchanges import Exchange, exchange
from tradewright.ledger.functions import (
    Conditions,
    ExpirySweep,
    LedgerReply,
    capture,
    capture_holds,
    credit,
    debit,
    expire_holds,
    move_between_houses,
    release,
    release_holds,
    reserve,
    reverse,
    transfer_to_account,
    transfer_to_wallet,
)
from tradewright.ledger.house import HousePosition, house_positions, roll_up_house_balances
from tradewright.ledger.journal import Journal
from tradewright.ledger.model import (
    Draw,
    Holder,
    HolderKind,
    HouseCode,
    Movement,
    Posting,
    Reservation,
    WalletStatus,
)
from tradewright.ledger.postings import post_movements
from tradewright.ledger.store import house_holder_ids
from tradewright.ledger.wallets import (
    Entry,
    PastBalance,
    Wallet,
    WalletBalance,
    balance_at,
    read_entries,
    read_history,
    read_wallet,
    read_wallets,
    set_wallet_status,
)

__all__ = [
    "Conditions",
    "Draw",
    "Entry",
    "Exchange",
    "ExpirySweep",
    "Holder",
    "HolderKind",
    "HouseCode",
    "HousePosition",
    "Journal",
    "LedgerReply",
    "Movement",
    "MovementResult",
    "PastBalance",
    "Posting",
    "Reservation",
    "Wallet",
    "WalletBalance",
    "WalletStatus",
    "balance_at",
    "capture",
    "capture_holds",
    "credit",
    "debit",
    "exchange",
    "expire_holds",
    "house_holder_ids",
    "house_positions",
    "move_between_houses",
    "post_movements",
    "read_entries",
    "read_history",
    "read_wallet",
    "read_wallets",
    "release",
    "release_holds",
    "reserve",
    "reverse",
    "roll_up_house_balances",
    "set_wallet_status",
    "status_refusal",
    "transfer_to_account",
    "transfer_to_wallet",
]
