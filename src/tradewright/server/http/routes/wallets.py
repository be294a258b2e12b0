"""Wallets: what a user has outside trading accounts, by currency."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field

from tradewright import ledger
from tradewright.server.http.callers import Calling, Database
from tradewright.server.http.own import whose
from tradewright.server.http.routes.accounts import Entries, page_of_entries
from tradewright.server.http.values import Amount, Answer, Body, Limit

router = APIRouter(prefix="/v1", tags=["wallets"])

Currency = Annotated[str, Path(pattern="^[A-Z0-9]{2,10}$")]


class Wallet(Answer):
    """What is free to use, and what is set aside."""

    currency: str
    status: str
    available: Amount
    reserved: Amount
    version: int


class Wallets(Answer):
    """Wallets by currency; one is opened by its first credit."""

    wallets: list[Wallet]


class OneWallet(Answer):
    """A wallet, and what its reserved money is held for."""

    currency: str
    status: str
    available: Amount
    reserved: Amount
    version: int
    held: dict[str, Amount]


class EntriesAsked(Body):
    """Which entries are asked for."""

    user_id: UUID | None = None
    cursor: Annotated[int | None, Field(ge=1)] = None
    limit: Limit = 50


@router.get("/wallets", summary="Wallets of the caller, or of a user")
def wallets(calling: Calling, session: Database, user_id: UUID | None = None) -> Wallets:
    """List wallets by currency."""
    found = ledger.read_wallets(session, whose(calling, user_id))
    return Wallets(wallets=[Wallet.model_validate(each) for each in found])


@router.get("/wallets/{currency}", summary="A wallet")
def wallet(
    calling: Calling, session: Database, currency: Currency, user_id: UUID | None = None
) -> OneWallet:
    """Show a wallet with its holds by purpose."""
    found = ledger.read_wallet(session, whose(calling, user_id), currency)
    return OneWallet(
        currency=currency,
        status=found.status,
        available=found.available,
        reserved=found.reserved,
        version=found.version,
        held=found.held,
    )


@router.get("/wallets/{currency}/entries", summary="The ledger's entries of a wallet")
def entries(
    calling: Calling, session: Database, currency: Currency, asked: Annotated[EntriesAsked, Query()]
) -> Entries:
    """List what changed the wallet, the newest first; versions are without gaps."""
    owner = whose(calling, asked.user_id)
    holder_id = ledger.read_wallet(session, owner, currency).holder_id
    found = ledger.read_entries(session, holder_id, before=asked.cursor, count_max=asked.limit)
    return page_of_entries(found, asked.limit)
