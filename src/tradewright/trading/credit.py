"""What the house lends an account for its margin: granted, withdrawn and read.

Credit is in the account's equity and never in its balance (decision 048): it carries positions, and
nobody can take it out. `risk/margin` counts it. The database refuses it to retail clients, and its
withdrawal while anything is open, which has no price there.
"""

from decimal import Decimal
from typing import Any

from msgspec import Struct

from tradewright.core.ids import require_ids
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

_QUERIES = "tradewright.trading"


class AccountCredit(Struct, frozen=True):
    """An account that the house lends something, with what is its own."""

    account: str
    currency: str
    credit: Decimal
    balance: Decimal


def grant_credit(connection: Session, account_id: str, amount: Decimal) -> Decimal:
    """Lend an account more for its margin, and return what it is lent in all.

    In the caller's transaction, which says who acts and why; engines learn of it with its commit.

    Raises:
        InputError: INPUT_ID_MALFORMED.
        psycopg.Error: ACCOUNT_UNKNOWN, ACCOUNT_NOT_ACTIVE, ACCOUNT_CREDIT_REFUSED,
            MONEY_BALANCE_TOO_LARGE, and the codes of an amount that cannot be.

    """
    return _change(connection, "grant_account_credit", account_id, amount)


def withdraw_credit(connection: Session, account_id: str, amount: Decimal) -> Decimal:
    """Take some of what an account is lent back, and return what is left of it.

    As `grant_credit`; of an account in which nothing is open, whatever its status.

    Raises:
        InputError: INPUT_ID_MALFORMED.
        psycopg.Error: ACCOUNT_UNKNOWN, ACCOUNT_CREDIT_EXHAUSTED, MONEY_ACCOUNT_HAS_POSITIONS,
            ORDER_IN_FLIGHT, MONEY_ACCOUNT_HAS_ORDERS, and the codes of an amount that cannot be.

    """
    return _change(connection, "withdraw_account_credit", account_id, amount)


def read_credits(connection: Session) -> list[AccountCredit]:
    """Return the accounts that are lent anything, in key order."""
    rows = connection.execute(load_queries(_QUERIES)["account_credits"]).fetchall()
    return [AccountCredit(*row) for row in rows]


def _change(connection: Session, query: str, account_id: str, amount: Decimal) -> Decimal:
    """Change what an account is lent; the database lets engines look at it."""
    require_ids(account_id)
    asked: dict[str, Any] = {"account_id": account_id, "amount": amount}
    row = connection.execute(load_queries(_QUERIES)[query], asked).fetchone()
    if row is None:
        raise AssertionError("a function gives a row")
    credit: Decimal = row[0]
    return credit
