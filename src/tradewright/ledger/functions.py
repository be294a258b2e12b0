"""The ledger one operation at a time: thin calls of the SQL functions of migration 006.

Each runs in the caller's transaction, locks what it needs in the house's order, and answers with
the holder after the operation. The same transaction id again answers the same and moves nothing.
Refusals arrive as MoneyError or InputError with the code of their SQLSTATE.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg

from tradewright.core.money import Money
from tradewright.ledger.model import HouseCode
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.postgres.refusals import translate


@dataclass(frozen=True, slots=True)
class LedgerReply:
    """A holder after an operation; `is_replay` when the operation had been done before."""

    holder_id: str
    version: int
    available: Decimal
    reserved: Decimal
    hold_id: str | None
    is_replay: bool


@dataclass(frozen=True, slots=True)
class ExpirySweep:
    """How many expired holds were given back, how many were refused, and why the first was."""

    released: int
    refused: int
    refusal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What must be so for money to leave: what stays available at least, and the version read."""

    min_available: Decimal | None = None
    expected_version: int | None = None


NO_CONDITIONS = Conditions()


def credit(  # noqa: PLR0913 (the parameters of the SQL function)
    connection: Session,
    user_id: str,
    currency: str,
    amount: Decimal,
    *,
    transaction_id: str,
    house: HouseCode = HouseCode.CLEARING,
) -> LedgerReply:
    """Move money from a house holder to a wallet, opening it at the first credit.

    `receivables` lends a debt that is noted under the transaction id, with its amount.

    Raises:
        MoneyError: MONEY_WALLET_CLOSED, MONEY_BALANCE_TOO_LARGE, MONEY_DEBT_MISSING.

    """
    return call_ledger(
        connection,
        "credit",
        user_id=user_id,
        currency=currency,
        amount=amount,
        transaction_id=transaction_id,
        house=house,
    )


def debit(  # noqa: PLR0913 (the parameters of the SQL function)
    connection: Session,
    user_id: str,
    currency: str,
    amount: Decimal,
    *,
    transaction_id: str,
    house: HouseCode = HouseCode.CLEARING,
    conditions: Conditions = NO_CONDITIONS,
) -> LedgerReply:
    """Move available money from a wallet to a house holder.

    What goes to `receivables` pays the user's debts in the currency, the oldest first.

    Raises:
        MoneyError: MONEY_WALLET_FROZEN, MONEY_WALLET_CLOSED, MONEY_VERSION_DIFFERS,
            MONEY_DEBT_MISSING, MONEY_INSUFFICIENT_FUNDS, MONEY_FLOOR_BREACHED.

    """
    return call_ledger(
        connection,
        "debit",
        user_id=user_id,
        currency=currency,
        amount=amount,
        transaction_id=transaction_id,
        house=house,
        min_available=conditions.min_available,
        expected_version=conditions.expected_version,
    )


def reserve(  # noqa: PLR0913 (the parameters of the SQL function)
    connection: Session,
    user_id: str,
    currency: str,
    amount: Decimal,
    *,
    transaction_id: str,
    purpose: str,
    expires_at: datetime | None = None,
    conditions: Conditions = NO_CONDITIONS,
) -> LedgerReply:
    """Set available money of a wallet aside, until `expires_at` if given; the reply names the hold.

    Raises:
        MoneyError: as `debit`.

    """
    return call_ledger(
        connection,
        "reserve",
        user_id=user_id,
        currency=currency,
        amount=amount,
        transaction_id=transaction_id,
        purpose=purpose,
        expires_at=expires_at,
        min_available=conditions.min_available,
        expected_version=conditions.expected_version,
    )


def release(
    connection: Session, hold_id: str, *, transaction_id: str, amount: Decimal | None = None
) -> LedgerReply:
    """Give a hold, or `amount` of it, back to available money.

    Raises:
        MoneyError: MONEY_HOLD_EXHAUSTED.

    """
    return call_ledger(
        connection, "release", hold_id=hold_id, transaction_id=transaction_id, amount=amount
    )


def capture(
    connection: Session,
    hold_id: str,
    *,
    transaction_id: str,
    amount: Decimal | None = None,
    house: HouseCode = HouseCode.CLEARING,
) -> LedgerReply:
    """Move a hold, or `amount` of it, to a house holder.

    Raises:
        MoneyError: MONEY_HOLD_EXHAUSTED, MONEY_DEBT_MISSING for `receivables`.

    """
    return call_ledger(
        connection,
        "capture",
        hold_id=hold_id,
        transaction_id=transaction_id,
        amount=amount,
        house=house,
    )


def reverse(
    connection: Session,
    reversed_key: tuple[str, str],
    *,
    transaction_id: str,
    amount: Decimal | None = None,
) -> LedgerReply:
    """Take a movement between a wallet and the house back, or `amount` of it.

    `reversed_key` is the transaction id and the operation that moved the money.

    Raises:
        InputError: MONEY_MOVEMENT_UNKNOWN.
        MoneyError: MONEY_REVERSAL_EXCEEDED, MONEY_INSUFFICIENT_FUNDS.

    """
    return call_ledger(
        connection,
        "reverse",
        reversed_id=reversed_key[0],
        reversed_operation=reversed_key[1],
        transaction_id=transaction_id,
        amount=amount,
    )


def move_between_houses(
    connection: Session,
    giver: HouseCode,
    receiver: HouseCode,
    money: Money,
    *,
    key: tuple[str, str],
) -> str:
    """Move money between two of the house's holders and return the transfer's id.

    `key` is the transaction id and the operation. House holders keep no balance, so nothing here
    finds out a repeat: the caller's own row must do that, in the same transaction.
    """
    parameters = {
        "transaction_id": key[0],
        "operation": key[1],
        "giver": giver,
        "receiver": receiver,
        "currency": money.currency,
        "amount": money.amount,
    }
    query = load_queries("tradewright.ledger")["move_between_houses"]
    row = connection.execute(query, parameters).fetchone()
    if row is None:
        raise AssertionError(query)
    return str(row[0])


def expire_holds(connection: Session, *, count_max: int = 1000, skip_count: int = 0) -> ExpirySweep:
    """Give at most `count_max` expired holds back to their wallets, the oldest first.

    A hold that is refused stays as it is and holds up no other; it is among the oldest of the
    next sweep, which passes over the `skip_count` oldest.
    """
    query = load_queries("tradewright.ledger")["expire_holds"]
    limits = {"count_max": count_max, "skip_count": skip_count}
    row = connection.execute(query, limits).fetchone()
    return ExpirySweep(0, 0, None) if row is None else ExpirySweep(*row)


def transfer_to_account(
    connection: Session, account_id: str, amount: Decimal, *, transaction_id: str
) -> LedgerReply:
    """Move available money from the owner's wallet to a trading account."""
    return call_ledger(
        connection,
        "transfer_to_account",
        account_id=account_id,
        amount=amount,
        transaction_id=transaction_id,
    )


def transfer_to_wallet(
    connection: Session, account_id: str, amount: Decimal, *, transaction_id: str
) -> LedgerReply:
    """Move money from a trading account without open positions to the owner's wallet."""
    return call_ledger(
        connection,
        "transfer_to_wallet",
        account_id=account_id,
        amount=amount,
        transaction_id=transaction_id,
    )


def release_holds(
    connection: Session, hold_ids: Sequence[str], *, transaction_id: str
) -> list[LedgerReply]:
    """Give all that remains of several holds back, or none of it; replies in the holds' key order.

    Raises:
        MoneyError: MONEY_HOLD_EXHAUSTED when one of them has ended.

    """
    return _call_for_holds(connection, "release_holds", hold_ids, transaction_id)


def capture_holds(
    connection: Session, hold_ids: Sequence[str], *, transaction_id: str
) -> list[LedgerReply]:
    """Move all that remains of several holds to the house, or none of it; as `release_holds`."""
    return _call_for_holds(connection, "capture_holds", hold_ids, transaction_id)


def call_ledger(connection: Session, query: str, **parameters: Any) -> LedgerReply:
    """Call one of the ledger's functions by its named query, and return its one reply."""
    try:
        row = connection.execute(load_queries("tradewright.ledger")[query], parameters).fetchone()
    except psycopg.Error as error:
        raise translate(error) from error
    if row is None:
        raise AssertionError(query)
    return _reply(row)


def _call_for_holds(
    connection: Session, query: str, hold_ids: Sequence[str], transaction_id: str
) -> list[LedgerReply]:
    parameters = {"hold_ids": list(hold_ids), "transaction_id": transaction_id}
    try:
        rows = connection.execute(load_queries("tradewright.ledger")[query], parameters).fetchall()
    except psycopg.Error as error:
        raise translate(error) from error
    return [_reply(row) for row in rows]


def _reply(row: tuple[Any, ...]) -> LedgerReply:
    hold_id = None if row[4] is None else str(row[4])
    return LedgerReply(str(row[0]), row[1], row[2], row[3], hold_id, row[5])
