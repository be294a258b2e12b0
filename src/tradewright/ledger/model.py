"""Values of the ledger: holders as a batch has locked them, transfers, entries, movements.

Ids are canonical UUID text throughout the engine, because they are written as text and only
compared in between. Amounts are exact decimals of the holder's currency.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct


class HolderKind(StrEnum):
    """Who can hold money; house holders are never locked and keep no running balance."""

    WALLET = "wallet"
    ACCOUNT = "account"
    HOUSE = "house"


class WalletStatus(StrEnum):
    """What a wallet lets through: all; only what comes in and holds that end; nothing."""

    ACTIVE = "active"
    FROZEN = "frozen"
    CLOSED = "closed"


class HouseCode(StrEnum):
    """The broker's own holders, one of each per currency."""

    CLEARING = "clearing"
    CLEARING_CARDS = "clearing_cards"
    CLEARING_CHAIN = "clearing_chain"
    BANK = "bank"
    PROVIDER_COSTS = "provider_costs"
    RECEIVABLES = "receivables"
    SUSPENSE = "suspense"
    FEES = "fees"
    DEALING = "dealing"
    LIQUIDITY = "liquidity"
    SWAPS = "swaps"
    NEGATIVE_BALANCE = "negative_balance"
    EXCHANGE = "exchange"


class Holder(Struct):
    """A wallet or account whose row is locked, with its balance running through the batch.

    `available` of an account is its balance, which may be negative; `version` counts entries.
    `version_read` is what the row held when it was locked; `status` is a wallet's, and `place` is
    where its row stands (its ctid), for as long as it is locked and nothing has written it.
    """

    id: str
    kind: HolderKind
    user_id: str
    currency: str
    available: Decimal
    reserved: Decimal
    version: int
    version_read: int
    status: WalletStatus = WalletStatus.ACTIVE
    place: str = ""

    @classmethod
    def locked(  # noqa: PLR0913 (one parameter per column of the locked row)
        cls,
        kind: HolderKind,
        *,
        holder_id: str,
        user_id: str,
        currency: str,
        available: Decimal,
        version: int,
        reserved: Decimal = Decimal(0),
    ) -> "Holder":
        """Return a holder as its row was read under lock."""
        return cls(holder_id, kind, user_id, currency, available, reserved, version, version)

    @property
    def has_moved(self) -> bool:
        """Whether the batch has written entries for this holder."""
        return self.version != self.version_read


class Movement(Struct, frozen=True, kw_only=True):
    """A request to move money between two holders, done once per (transaction_id, operation).

    `debit_id` gives, `credit_id` receives; either may be a house holder.
    """

    transaction_id: str
    operation: str
    debit_id: str
    credit_id: str
    currency: str
    amount: Decimal


class Reservation(Struct, frozen=True, kw_only=True):
    """A request to set available money of a wallet aside, once per transaction id.

    `purpose` is one of the purposes of holds; from `expires_at` on the hold is only released.
    """

    transaction_id: str
    holder_id: str
    currency: str
    amount: Decimal
    purpose: str
    expires_at: datetime | None = None


class Draw(Struct, frozen=True, kw_only=True):
    """A request to take an amount off a hold (None: all that remains), once per transaction id.

    Without a `sink` the money goes back to the wallet; with one, a house holder, it goes there.
    """

    transaction_id: str
    hold_id: str
    amount: Decimal | None = None
    sink: str | None = None

    @property
    def operation(self) -> str:
        """Return the operation under which the draw is done once."""
        return "release" if self.sink is None else "capture"


class Hold(Struct):
    """A hold whose row is locked or new, with what remains running through the batch."""

    id: str
    holder_id: str
    purpose: str
    amount: Decimal
    remaining: Decimal
    is_expired: bool = False
    is_new: bool = False
    expires_at: datetime | None = None


Posting = Movement | Reservation | Draw
"""What a batch of the ledger may hold."""
