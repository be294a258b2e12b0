"""Reads of the ledger that more than one of its modules needs: locked holders, house holders."""

from collections.abc import Collection, Iterable

from tradewright.ledger.model import Holder, HolderKind, HouseCode
from tradewright.postgres.connect import Session
from tradewright.postgres.pipeline import Statements
from tradewright.postgres.queries import load_queries

WalletKey = tuple[str, str]
"""A wallet's owner and currency."""


def house_holder_ids(connection: Session, currency: str) -> dict[HouseCode, str]:
    """Return the house's holders of a currency by code, opening those that are new."""
    rows = connection.execute(
        load_queries("tradewright.ledger")["house_holders"],
        {"currency": currency, "codes": [str(code) for code in HouseCode]},
    )
    return {HouseCode(code): holder_id for code, holder_id in rows}


def lock_wallets(statements: Statements, ids: Collection[str]) -> dict[str, Holder]:
    """Lock wallets in key order and return those that exist by holder id."""
    rows = statements.execute(
        load_queries("tradewright.ledger")["lock_wallets"], {"ids": list(ids)}
    ).fetchall()
    return {
        row[0]: Holder.locked(
            HolderKind.WALLET,
            holder_id=row[0],
            user_id=row[1],
            currency=row[2],
            available=row[3],
            reserved=row[4],
            version=row[5],
        )
        for row in rows
    }


def lock_accounts(statements: Statements, ids: Collection[str]) -> dict[str, Holder]:
    """Lock trading accounts in key order, after any wallets, and return them by holder id."""
    rows = statements.execute(
        load_queries("tradewright.ledger")["lock_accounts"], {"ids": list(ids)}
    ).fetchall()
    return {
        row[0]: Holder.locked(
            HolderKind.ACCOUNT,
            holder_id=row[0],
            user_id=row[1],
            currency=row[2],
            available=row[3],
            version=row[4],
        )
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
