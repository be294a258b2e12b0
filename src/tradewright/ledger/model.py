"""Values of the ledger: holders as a batch has locked them, transfers, entries, movements.

Ids are canonical UUID text throughout the engine, because they are written as text and only
compared in between. Amounts are exact decimals of the holder's currency.
"""

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
    FEES = "fees"
    DEALING = "dealing"
    LIQUIDITY = "liquidity"
    SWAPS = "swaps"
    NEGATIVE_BALANCE = "negative_balance"
    EXCHANGE = "exchange"


class Holder(Struct):
    """A wallet or account whose row is locked, with its balance running through the batch.

    `available` of an account is its balance, which may be negative; `version` counts entries.
    `version_read` is what the row held when it was locked; `status` is a wallet's.
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
