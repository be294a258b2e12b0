"""An account as a whole: all that a screen shows in one read, and all of it ended in one command.

What is ended in one command is ended one by one through the engine, each by its own rules: what
became of each is told, and the same again goes on with what is left.
"""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from tradewright.access import Action
from tradewright.core.errors import TradewrightError
from tradewright.postgres.queries import load_queries
from tradewright.server.http.asking import Asking
from tradewright.server.http.callers import Calling, Database, lent
from tradewright.server.http.own import account_of
from tradewright.server.http.routes.accounts import Account
from tradewright.server.http.routes.orders import Order
from tradewright.server.http.routes.positions import Position
from tradewright.server.http.values import Amount, Answer, Body, Symbol
from tradewright.trading.inquiry import list_orders, list_positions
from tradewright.trading.worths import account_facts, position_facts

router = APIRouter(prefix="/v1", tags=["accounts"])

TOGETHER_MAX = 200
"""So many orders or positions are shown, or ended, at once; the newest first."""

KEY_LENGTH_MAX = 27
"""With a dot and the id of a position behind it, it is a key of 64."""


class OpenPosition(Position):
    """An open position, and the result of closing it at the newest price known."""

    current_price: Amount | None
    unrealised_pnl: Amount | None


class Overview(Answer):
    """An account with what is open and what rests in it, all of one moment.

    `is_whole`: no position and no order is left out.
    """

    account: Account
    positions: list[OpenPosition]
    orders: list[Order]
    is_whole: bool


class Ending(Body):
    """What is to be ended: all, or in one symbol."""

    symbol: Symbol | None = None


class ClosingAll(Ending):
    """What is to be closed, under a key of which each order's own key is made."""

    client_order_id: Annotated[str, Field(pattern=f"^[A-Za-z0-9._:-]{{1,{KEY_LENGTH_MAX}}}$")]


class Ended(Answer):
    """What became of one order or position: its order's status, or why nothing was done."""

    id: str
    order_id: str | None
    status: str | None
    code: str | None


class AllEnded(Answer):
    """What became of each; `goes_on`: there may be more, so ask again."""

    ended: list[Ended]
    goes_on: bool


@router.get("/accounts/{account_id}/overview", summary="An account with all that is open in it")
def overview(calling: Calling, session: Database, account_id: UUID) -> Overview:
    """Show an account, its open positions and its live orders, all of one moment."""
    with session.transaction():
        session.execute(load_queries("tradewright.trading")["read_one_snapshot"])
        found = account_of(session, calling, account_id)
        held = list_positions(session, account_id=found.id, count_max=TOGETHER_MAX)
        live = list_orders(session, account_id=found.id, is_live=True, count_max=TOGETHER_MAX)
        (facts,) = account_facts(session, [found])
        rows = position_facts(session, held, found.currency)
    return Overview(
        account=Account.model_validate(facts),
        positions=[OpenPosition.model_validate(each) for each in rows],
        orders=[Order.model_validate(each) for each in live],
        is_whole=max(len(held), len(live)) < TOGETHER_MAX,
    )


@router.post("/accounts/{account_id}/orders/cancel", summary="Cancel all orders of an account")
def cancel_all(asking: Asking, account_id: UUID, body: Ending) -> AllEnded:
    """Cancel each live order; one that has ended meanwhile is told with its code."""
    with lent(asking.request) as session:
        owner = account_of(session, asking.calling, account_id, Action.TRADE_OWN)
        live = list_orders(
            session,
            account_id=owner.id,
            symbol=body.symbol,
            is_live=True,
            count_max=TOGETHER_MAX,
        )
    fields = [{"account_id": owner.id, "client_order_id": one.client_order_id} for one in live]
    return _all_ended([one.id for one in live], asking.ask_all("cancel_order", fields))


@router.post("/accounts/{account_id}/positions/close", summary="Close all positions of an account")
def close_all(asking: Asking, account_id: UUID, body: ClosingAll) -> AllEnded:
    """Close each open position whole at the market, the newest first."""
    with lent(asking.request) as session:
        owner = account_of(session, asking.calling, account_id, Action.TRADE_OWN)
        held = list_positions(
            session, account_id=owner.id, symbol=body.symbol, count_max=TOGETHER_MAX
        )
    fields = [
        {
            "account_id": owner.id,
            "position_id": one.id,
            "symbol": one.symbol,
            "client_order_id": f"{body.client_order_id}.{one.id}",
        }
        for one in held
    ]
    return _all_ended([one.id for one in held], asking.ask_all("close_position", fields))


def _all_ended(
    ids: Sequence[str], answers: Sequence[dict[str, Any] | TradewrightError]
) -> AllEnded:
    pairs = zip(ids, answers, strict=True)
    ended = [_ended(one, answer) for one, answer in pairs]
    return AllEnded(ended=ended, goes_on=len(ids) == TOGETHER_MAX)


def _ended(row_id: str, answer: dict[str, Any] | TradewrightError) -> Ended:
    if isinstance(answer, TradewrightError):
        return Ended(id=row_id, order_id=None, status=None, code=answer.code)
    code = answer["refusal_code"]
    return Ended(id=row_id, order_id=answer["order_id"], status=answer["status"], code=code)
