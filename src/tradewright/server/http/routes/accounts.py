"""Trading accounts: what is in them, what was booked, and money between them and wallets."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from tradewright import ledger
from tradewright.access import Action
from tradewright.server.http.asking import Asking
from tradewright.server.http.callers import Calling, Database, lent
from tradewright.server.http.own import account_of, whose
from tradewright.server.http.values import Amount, Answer, Body, GivenAmount, Instant, Limit, text
from tradewright.trading.inquiry import list_accounts, list_trades
from tradewright.trading.words import Direction
from tradewright.trading.worths import account_facts

router = APIRouter(prefix="/v1", tags=["accounts"])


class Account(Answer):
    """An account, and what it is worth at the newest prices known; null where one lacks."""

    id: str
    user_id: str
    group: str
    currency: str
    leverage: int
    status: str
    balance: Amount
    credit: Amount
    equity: Amount | None
    used_margin: Amount | None
    free_margin: Amount | None
    margin_level: Amount | None
    priced_at: Instant | None
    margin_call_level: Amount
    stop_out_level: Amount
    open_positions: int
    live_orders: int
    created_at: Instant


class Accounts(Answer):
    """Accounts, the newest first; `next` is the cursor of older ones, if there may be any."""

    accounts: list[Account]
    next: str | None


class AccountsAsked(Body):
    """Which accounts are asked for."""

    user_id: UUID | None = None
    cursor: UUID | None = None
    limit: Limit = 50


class Trade(Answer):
    """What was done to a position; sold is below zero."""

    id: str
    account_id: str
    position_id: str
    order_id: str | None
    symbol: str
    effect: str
    quantity: Amount
    price: Amount
    realised_pnl: Amount
    commission: Amount
    executed_at: Instant


class Trades(Answer):
    """Trades, the newest first; `next` is the cursor of older ones, if there may be any."""

    trades: list[Trade]
    next: str | None


class TradesAsked(Body):
    """Which trades are asked for."""

    position_id: UUID | None = None
    cursor: UUID | None = None
    limit: Limit = 50


class Entry(Answer):
    """One change of a wallet or account, with what it held before and after."""

    version: int
    created_at: Instant
    currency: str
    transaction_id: str
    operation: str
    effect: str
    amount: Amount
    available_before: Amount
    available_after: Amount
    reserved_before: Amount
    reserved_after: Amount


class Entries(Answer):
    """Entries, the newest first; `next` is the cursor of older ones, if there may be any."""

    entries: list[Entry]
    next: int | None


class Transfer(Body):
    """Money between an account and its owner's wallet in the account's currency."""

    direction: Direction
    amount: GivenAmount
    transaction_id: UUID | None = None


class Transferred(Answer):
    """The account's balance after the transfer; `is_replay`: it had been made before."""

    account_id: str
    transaction_id: str
    balance: Amount
    is_replay: bool


@router.get("/accounts", summary="Accounts of the caller, or of a user")
def accounts(
    calling: Calling, session: Database, asked: Annotated[AccountsAsked, Query()]
) -> Accounts:
    """List accounts with what they are worth."""
    owner = whose(calling, asked.user_id)
    found = list_accounts(session, user_id=owner, before=text(asked.cursor), count_max=asked.limit)
    rows = [Account.model_validate(row) for row in account_facts(session, found)]
    return Accounts(accounts=rows, next=rows[-1].id if len(rows) == asked.limit else None)


@router.get("/accounts/{account_id}", summary="An account")
def account(calling: Calling, session: Database, account_id: UUID) -> Account:
    """Show an account with what it is worth."""
    (row,) = account_facts(session, [account_of(session, calling, account_id)])
    return Account.model_validate(row)


@router.get("/accounts/{account_id}/trades", summary="What was done to an account's positions")
def trades(
    calling: Calling, session: Database, account_id: UUID, asked: Annotated[TradesAsked, Query()]
) -> Trades:
    """List trades, the newest first."""
    found = list_trades(
        session,
        account_of(session, calling, account_id).id,
        position_id=text(asked.position_id),
        before=text(asked.cursor),
        count_max=asked.limit,
    )
    rows = [Trade.model_validate(each) for each in found]
    return Trades(trades=rows, next=rows[-1].id if len(rows) == asked.limit else None)


@router.get("/accounts/{account_id}/entries", summary="The ledger's entries of an account")
def entries(
    calling: Calling,
    session: Database,
    account_id: UUID,
    cursor: Annotated[int | None, Query(ge=1)] = None,
    limit: Limit = 50,
) -> Entries:
    """List what changed the balance, the newest first; versions are without gaps."""
    holder_id = account_of(session, calling, account_id).id
    return page_of_entries(
        ledger.read_entries(session, holder_id, before=cursor, count_max=limit), limit
    )


@router.post(
    "/accounts/{account_id}/transfers", status_code=201, summary="Move money to or from the wallet"
)
def transfer(asking: Asking, account_id: UUID, body: Transfer) -> Transferred:
    """Let the engine move money between an account and its wallet, once per transaction id."""
    with lent(asking.request) as session:
        holder = account_of(session, asking.calling, account_id, Action.PAY_OWN)
    fields = {
        "account_id": holder.id,
        "direction": body.direction,
        "amount": f"{body.amount:f}",
        "transaction_id": asking.key_of(body.transaction_id, "transaction_id"),
    }
    report = asking.ask("move_money", fields)
    asking.made(report)
    return Transferred(**report, transaction_id=fields["transaction_id"])


def page_of_entries(found: list[ledger.Entry], limit: int) -> Entries:
    """Return entries as a page; one that begins with the first version has nothing behind it."""
    rows = [Entry.model_validate(each) for each in found]
    goes_on = len(rows) == limit and rows[-1].version > 1
    return Entries(entries=rows, next=rows[-1].version if goes_on else None)
