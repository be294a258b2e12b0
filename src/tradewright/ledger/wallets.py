"""Wallets as their owner, an officer and an auditor see them: status, breakdown, balance at a time.

Each function works in the caller's transaction. What moves money stands in `functions`.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import psycopg

from tradewright.core.errors import ErrorCode, MoneyError
from tradewright.ledger.functions import LedgerReply, call_ledger
from tradewright.ledger.model import WalletStatus
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.postgres.refusals import translate

_QUERIES = "tradewright.ledger"
_PURPOSES = ("order", "withdrawal", "refund", "dispute", "unconfirmed")


@dataclass(frozen=True, slots=True)
class Wallet:
    """A wallet in one snapshot; `held` is what is reserved by purpose, and adds up to it."""

    holder_id: str
    status: WalletStatus
    version: int
    available: Decimal
    reserved: Decimal
    held: dict[str, Decimal]
    open_holds: int


@dataclass(frozen=True, slots=True)
class WalletBalance:
    """What a user has in one currency: free to use, and reserved."""

    currency: str
    status: WalletStatus
    available: Decimal
    reserved: Decimal
    version: int


@dataclass(frozen=True, slots=True)
class PastBalance:
    """What a holder had at an instant, since the entry `version`; version 0 is before the first."""

    version: int
    available: Decimal
    reserved: Decimal
    entered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of a wallet or account, with what it held before and after; reserved apart."""

    created_at: datetime
    holder_id: str
    version: int
    currency: str
    transaction_id: str
    operation: str
    effect: str
    amount: Decimal
    available_before: Decimal
    available_after: Decimal
    reserved_before: Decimal
    reserved_after: Decimal
    hold_id: str | None


def set_wallet_status(
    connection: Session,
    wallet: tuple[str, str],
    status: WalletStatus,
    *,
    reason: str,
    transaction_id: str,
) -> LedgerReply:
    """Freeze, activate or close a user's wallet in a currency; who did it is the session's actor.

    Raises:
        MoneyError: MONEY_HOLDER_UNKNOWN, MONEY_WALLET_STATUS_REFUSED for a step that is not
            allowed or the closing of a wallet with money, MONEY_IDEMPOTENCY_CONFLICT.

    """
    return call_ledger(
        connection,
        "set_wallet_status",
        user_id=wallet[0],
        currency=wallet[1],
        status=str(status),
        reason=reason,
        transaction_id=transaction_id,
    )


def read_wallet(connection: Session, user_id: str, currency: str) -> Wallet:
    """Read a wallet with what its holds are for, from one snapshot.

    Raises:
        MoneyError: MONEY_HOLDER_UNKNOWN.

    """
    row = connection.execute(
        load_queries(_QUERIES)["wallet_with_holds"], {"user_id": user_id, "currency": currency}
    ).fetchone()
    if row is None:
        raise MoneyError(
            ErrorCode.MONEY_HOLDER_UNKNOWN,
            f'user "{user_id}" has no wallet in {currency}',
            why="A wallet is opened by its first credit.",
            hint="Check the user and the currency.",
        )
    held = dict(zip(_PURPOSES, row[5:10], strict=True))
    return Wallet(row[0], WalletStatus(row[1]), row[2], row[3], row[4], held, row[10])


def read_wallets(connection: Session, user_id: str) -> list[WalletBalance]:
    """Return the wallets of a user by currency; none where nothing was ever credited."""
    asked = {"user_id": user_id}
    rows = connection.execute(load_queries(_QUERIES)["wallets_of_user"], asked)
    return [WalletBalance(row[0], WalletStatus(row[1]), *row[2:]) for row in rows]


def balance_at(connection: Session, holder_id: str, at: datetime) -> PastBalance:
    """Read what a wallet or account had at an instant that has passed; the answer is final.

    Waits for whoever is writing to the holder, so it takes a transaction that may lock rows.

    Raises:
        InputError: INPUT_INSTANT_FUTURE.
        MoneyError: MONEY_HOLDER_UNKNOWN.

    """
    try:
        row = connection.execute(
            load_queries(_QUERIES)["balance_at"], {"holder_id": holder_id, "at": at}
        ).fetchone()
    except psycopg.Error as error:
        raise translate(error) from error
    if row is None:
        raise AssertionError(holder_id)
    return PastBalance(*row)


def read_history(
    connection: Session,
    user_id: str,
    since: datetime,
    until: datetime,
    *,
    count_max: int | None = None,
) -> list[Entry]:
    """Return the entries of a user's wallets and accounts, from `since` until before `until`.

    The newest first, at most `count_max`. Entries that are being written are not among them.

    Raises:
        MoneyError: MONEY_HOLDER_UNKNOWN for a user without any wallet or account.

    """
    queries = load_queries(_QUERIES)
    asked = {"user_id": user_id, "since": since, "until": until, "count_max": count_max}
    entries = [Entry(*row) for row in connection.execute(queries["user_history"], asked)]
    if not entries and connection.execute(queries["user_holds_nothing"], asked).fetchone():
        raise MoneyError(
            ErrorCode.MONEY_HOLDER_UNKNOWN,
            f'user "{user_id}" has no wallet and no account',
            why="A wallet is opened by its first credit; only it or an account has entries.",
            hint="Check the user's id.",
        )
    return entries


def read_entries(
    connection: Session, holder_id: str, *, before: int | None = None, count_max: int
) -> list[Entry]:
    """Return the entries of one wallet or account, the newest first, `before` a version or all."""
    asked = {"holder_id": holder_id, "before": before, "count_max": count_max}
    return [
        Entry(*row) for row in connection.execute(load_queries(_QUERIES)["holder_entries"], asked)
    ]
