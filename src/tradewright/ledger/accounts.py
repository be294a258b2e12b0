"""What a batch asks of trading accounts between which and other clients money moves.

The rules are those of transfer_to_account and transfer_to_wallet; wallets have theirs in `book`.
Fees and results go between an account and the house: they are booked whatever its status is, and
may overdraw it, so nothing is asked of it then.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

from tradewright.core.errors import ErrorCode, MoneyError, StateError, TradewrightError
from tradewright.core.money import plain
from tradewright.ledger.model import Holder, HolderKind, Movement
from tradewright.postgres.pipeline import Statements
from tradewright.postgres.queries import load_queries

_ACTIVE = "active"


class Promised(Struct, frozen=True):
    """What keeps the money of an account in it, whatever its balance is."""

    has_positions: bool
    has_order_in_flight: bool
    has_binding_order: bool


def inactive_among(rows: Sequence[tuple[Any, ...]]) -> dict[str, str]:
    """Say of each account of `lock_accounts` that is not active what is the matter with it."""
    said = {
        row[0]: f'the owner of account "{row[0]}" is {row[6]}' for row in rows if row[6] != _ACTIVE
    }
    return said | {row[0]: f'account "{row[0]}" is {row[5]}' for row in rows if row[5] != _ACTIVE}


def read_promised(
    statements: Statements, holders: Mapping[str, Holder], movements: Sequence[Movement]
) -> dict[str, Promised]:
    """Read what keeps the money of locked accounts that are to give to other clients.

    Where no account is to give to a client, which is so in nearly every batch, nothing is asked.
    """
    accounts = {each.id for each in holders.values() if each.kind is HolderKind.ACCOUNT}
    if not accounts:
        return {}
    givers = {m.debit_id for m in movements if m.debit_id in accounts and m.credit_id in holders}
    if not givers:
        return {}
    query = load_queries("tradewright.ledger")["promises_of_accounts"]
    rows = statements.execute(query, {"ids": sorted(givers)})
    return {row[0]: Promised(*row[1:]) for row in rows.fetchall()}


def inactive_account(
    inactive: Mapping[str, str], giver: Holder, receiver: Holder
) -> TradewrightError | None:
    """Return the refusal of an account that, or whose owner, is suspended or closed, or None."""
    for holder in (giver, receiver):
        if holder.id in inactive:
            return MoneyError(
                ErrorCode.ACCOUNT_NOT_ACTIVE,
                inactive[holder.id],
                why="Money moves in and out of active accounts of active users only.",
                hint="Reinstate the account or its owner first.",
            )
    return None


def kept_in_account(
    promised: Mapping[str, Promised], giver: Holder, amount: Decimal
) -> TradewrightError | None:
    """Return the refusal of an account that cannot give an amount to another client, or None."""
    if giver.kind is not HolderKind.ACCOUNT:
        return None
    refusal = _promise_refusal(promised[giver.id], giver.id)
    if refusal is None and giver.available < amount:
        return MoneyError(
            ErrorCode.MONEY_INSUFFICIENT_FUNDS,
            f"account holds {plain(giver.available)} {giver.currency}, {plain(amount)} are needed",
            why="A transfer never overdraws an account.",
            hint="Ask for at most the balance.",
        )
    return refusal


def _promise_refusal(promised: Promised, account_id: str) -> TradewrightError | None:
    if promised.has_positions:
        return MoneyError(
            ErrorCode.MONEY_ACCOUNT_HAS_POSITIONS,
            f'account "{account_id}" has open positions',
            why="What may leave beside an open position depends on prices.",
            hint="Close the positions, or let the engine book the transfer.",
        )
    if promised.has_order_in_flight:
        return StateError(
            ErrorCode.ORDER_IN_FLIGHT,
            f'account "{account_id}" has an order with a provider',
            why="What may leave beside an order that may deal at any moment depends on prices.",
            hint="Wait for the provider's answer, or let the engine book the transfer.",
        )
    if promised.has_binding_order:
        return MoneyError(
            ErrorCode.MONEY_ACCOUNT_HAS_ORDERS,
            f'account "{account_id}" has orders, which bind margin while they rest',
            why="What may leave beside an order that binds margin depends on prices.",
            hint="Cancel the orders, or let the engine book the transfer.",
        )
    return None
