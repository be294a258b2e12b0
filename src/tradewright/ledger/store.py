"""Reads of the ledger that more than one of its modules needs: locked holders, house holders."""

from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any

from tradewright.ledger.model import Holder, HolderKind, HouseCode, WalletStatus
from tradewright.postgres.connect import Session
from tradewright.postgres.pipeline import Statements
from tradewright.postgres.queries import load_queries

_NOTHING = Decimal(0)
_STATUSES = {str(status): status for status in WalletStatus}

Houses = dict[str, dict[HouseCode, str]]
"""The house's holders by currency and code."""

WalletKey = tuple[str, str]
"""A wallet's owner and currency."""


def house_holder_ids(connection: Session, currency: str) -> dict[HouseCode, str]:
    """Return the house's holders of a currency by code, opening those that are new."""
    return houses_of(connection, [currency])[currency]


def houses_of(statements: Statements, currencies: Collection[str]) -> Houses:
    """Return the house's holders of currencies by code, opening those that are new."""
    rows = statements.execute(
        load_queries("tradewright.ledger")["house_holders"],
        {"currencies": sorted(currencies), "codes": [str(code) for code in HouseCode]},
    )
    houses: Houses = {currency: {} for currency in currencies}
    for currency, code, holder_id in rows.fetchall():
        houses[currency][HouseCode(code)] = holder_id
    return houses


def lock_wallets(statements: Statements, ids: Collection[str]) -> dict[str, Holder]:
    """Lock wallets in key order and return those that exist by holder id."""
    rows = statements.execute(
        load_queries("tradewright.ledger")["lock_wallets"], {"ids": list(ids)}
    )
    return {row[0]: _wallet(*row) for row in rows.fetchall()}


def _wallet(  # noqa: PLR0913, PLR0917 (the columns of a row)
    holder_id: str,
    user_id: str,
    currency: str,
    available: Decimal,
    reserved: Decimal,
    version: int,
    status: str,
    place: str,
) -> Holder:
    return Holder(
        holder_id,
        HolderKind.WALLET,
        user_id,
        currency,
        available,
        reserved,
        version,
        version,
        _STATUSES[status],
        place,
    )


def accounts_by_id(rows: Iterable[tuple[Any, ...]]) -> dict[str, Holder]:
    """Return the trading accounts that `lock_accounts` has locked, by holder id."""
    return {
        row[0]: Holder(row[0], HolderKind.ACCOUNT, row[1], row[2], row[3], _NOTHING, row[4], row[4])
        for row in rows
    }


def wallet_ids(
    statements: Statements, keys: Iterable[WalletKey], *, open_missing: bool
) -> dict[WalletKey, str]:
    """Return the holder ids of wallets by owner and currency, opening missing ones when asked."""
    queries = load_queries("tradewright.ledger")
    pairs = sorted(set(keys))
    parameters = {"user_ids": [pair[0] for pair in pairs], "currencies": [p[1] for p in pairs]}
    if open_missing:
        opened = statements.execute(queries["open_wallets"], parameters).fetchall()
        if opened:
            statements.execute(
                queries["open_wallet_holders"],
                {"ids": [row[0] for row in opened], "currencies": [row[1] for row in opened]},
            )
    rows = statements.execute(queries["wallets_of_users"], parameters).fetchall()
    return {(user_id, currency): holder_id for user_id, currency, holder_id in rows}
