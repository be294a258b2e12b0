"""What a batch decides by, and what it answers: locked holders and holds, and what was done before.

`postings` decides movements by it, `draws` what concerns holds; refusals that both know are here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from tradewright.core.errors import ErrorCode, MoneyError, TradewrightError
from tradewright.core.money import AMOUNT_MAX, plain
from tradewright.ledger.accounts import Promised
from tradewright.ledger.journal import Journal
from tradewright.ledger.model import Hold, Holder, HolderKind, WalletStatus

Key = tuple[str, str]
"""A transaction and an operation: what is done once."""


class MovementResult(Struct, frozen=True):
    """What became of one movement: done now, done before, or refused with its error.

    What was done now tells the balances that it led to: available money of the giver and of the
    receiver (None: a house holder, which keeps none), reserved money of a wallet whose hold was
    made or drawn, and that hold. Of a repeat only the hold is told.
    """

    is_replay: bool
    error: TradewrightError | None
    debit_available: Decimal | None = None
    credit_available: Decimal | None = None
    reserved: Decimal | None = None
    hold_id: str | None = None


class Before(Struct, frozen=True):
    """What was done before under the same transaction and operation; no holders: no transfer."""

    debit_id: str | None
    credit_id: str | None
    amount: Decimal


class DrawnBefore(Struct, frozen=True):
    """What was done with a hold before under the same transaction and operation."""

    holder_id: str
    amount: Decimal
    hold_id: str
    purpose: str
    sink: str | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Book:
    """What a batch decides by: locked holders and holds, houses, and what was done before.

    `passed` are the instants named as expiries that have passed by the server's clock. `inactive`
    are accounts with a status that lets nothing through between clients, and `promised` is what
    keeps the money of accounts that are to give to another client.
    """

    holders: Mapping[str, Holder]
    house_currencies: Mapping[str, str]
    done: dict[Key, Before]
    journal: Journal
    holds: dict[str, Hold]
    drawn: dict[Key, DrawnBefore]
    passed: frozenset[datetime]
    inactive: Mapping[str, str]
    promised: Mapping[str, Promised]


def refused(error: TradewrightError) -> MovementResult:
    """Return the result of a movement that was refused."""
    return MovementResult(is_replay=False, error=error)


def other_contents(transaction_id: str, operation: str, why: str) -> MovementResult:
    """Return the refusal of a key that has done its operation with other contents."""
    return refused(
        MoneyError(
            ErrorCode.MONEY_IDEMPOTENCY_CONFLICT,
            f'transaction "{transaction_id}" has already done "{operation}" with other contents',
            why=why,
            hint="Use a new transaction id for a new movement.",
        )
    )


def unknown_holder(transaction_id: str, named: str, why: str) -> MoneyError:
    """Return the refusal of a holder that cannot be a side of this movement."""
    return MoneyError(
        ErrorCode.MONEY_HOLDER_UNKNOWN,
        f'transfer "{transaction_id}" names {named}',
        why=why,
        hint="Check the holder ids.",
    )


def of_another_currency(holder_id: str, holds: str, asked: str) -> MoneyError:
    """Return the refusal of a movement in another currency than its holder's."""
    return MoneyError(
        ErrorCode.MONEY_CURRENCY_MISMATCH,
        f'holder "{holder_id}" holds {holds}, not {asked}',
        why="A transfer has one currency, and so have both its holders.",
        hint="Exchange first, then transfer.",
    )


def status_refusal(giver: Holder | None, receiver: Holder | None) -> MoneyError | None:
    """Return the refusal of a wallet that is closed, or frozen and to give."""
    if (giver is None or giver.status is WalletStatus.ACTIVE) and (
        receiver is None or receiver.status is WalletStatus.ACTIVE
    ):
        return None
    for holder in (giver, receiver):
        if holder is not None and holder.status is WalletStatus.CLOSED:
            return MoneyError(
                ErrorCode.MONEY_WALLET_CLOSED,
                f'wallet "{holder.id}" is closed',
                why="A closed wallet is empty for ever.",
                hint="Use another currency or another user.",
            )
    if giver is not None and giver.status is WalletStatus.FROZEN:
        return MoneyError(
            ErrorCode.MONEY_WALLET_FROZEN,
            f'wallet "{giver.id}" is frozen',
            why="Money comes in, and holds that were made before are ended; nothing else leaves.",
            hint="Have the wallet activated again.",
        )
    return None


def too_little(giver: Holder | None, amount: Decimal) -> MoneyError | None:
    """Return the refusal of a wallet that would give more than it has available."""
    if giver is None or giver.kind is not HolderKind.WALLET or giver.available >= amount:
        return None
    return MoneyError(
        ErrorCode.MONEY_INSUFFICIENT_FUNDS,
        f"wallet holds {plain(giver.available)} {giver.currency} available, "
        f"{plain(amount)} are needed",
        why=f"Another {plain(giver.reserved)} {giver.currency} are reserved.",
        hint="Deposit more, release a hold, or ask for less.",
    )


def too_much(giver: Holder | None, receiver: Holder | None, amount: Decimal) -> MoneyError | None:
    """Return the refusal of a movement that leads to more than can be kept."""
    if (giver is None or giver.available - amount >= -AMOUNT_MAX) and (
        receiver is None or receiver.available + amount <= AMOUNT_MAX
    ):
        return None
    return MoneyError(
        ErrorCode.MONEY_BALANCE_TOO_LARGE,
        f"a balance would pass {plain(AMOUNT_MAX)}, more than can be kept",
        why="A balance has at most twelve digits before the point.",
        hint="Split the amount over several holders.",
    )
