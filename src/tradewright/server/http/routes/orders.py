"""Orders: asked for, replaced and canceled through the engine, read from the database."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from tradewright.access import Action
from tradewright.liquidity.model import Side
from tradewright.server.http.asking import Asking
from tradewright.server.http.callers import Calling, Database, lent
from tradewright.server.http.own import account_of, order_of, owner_of
from tradewright.server.http.values import (
    Amount,
    Answer,
    Body,
    GivenAmount,
    GivenInstant,
    Instant,
    Key,
    Limit,
    Symbol,
    text,
)
from tradewright.trading.inquiry import list_orders
from tradewright.trading.words import OrderStatus, OrderType, TimeInForce, TrailingUnit

router = APIRouter(prefix="/v1", tags=["orders"])


class Order(Answer):
    """An order as it stands."""

    id: str
    account_id: str
    client_order_id: str
    symbol: str
    side: str
    order_type: str
    time_in_force: str
    origin: str
    quantity: Amount
    filled_quantity: Amount
    remaining_quantity: Amount
    average_price: Amount | None
    limit_price: Amount | None
    stop_price: Amount | None
    stop_loss: Amount | None
    take_profit: Amount | None
    status: str
    refused_by: str | None
    refusal_code: str | None
    expires_at: Instant | None
    created_at: Instant
    updated_at: Instant


class Orders(Answer):
    """Orders, the newest first; `next` is the cursor of older ones, if there may be any."""

    orders: list[Order]
    next: str | None


class OrdersAsked(Body):
    """Which orders are asked for."""

    user_id: UUID | None = None
    account_id: UUID | None = None
    symbol: Symbol | None = None
    status: OrderStatus | None = None
    client_order_id: Key | None = None
    cursor: UUID | None = None
    limit: Limit = 50


class Event(Answer):
    """One step of an order."""

    seq: int
    event_type: str
    from_status: str | None
    to_status: str | None
    quantity: Amount | None
    price: Amount | None
    occurred_at: Instant


class OneOrder(Answer):
    """An order with its steps, the oldest first."""

    order: Order
    events: list[Event]


class NewOrder(Body):
    """An order that is asked for; what the words mean: docs/reference/order-types.md."""

    client_order_id: Key | None = None
    symbol: Symbol
    side: Side
    quantity: GivenAmount
    order_type: OrderType = OrderType.MARKET
    time_in_force: TimeInForce = TimeInForce.IOC
    limit_price: GivenAmount | None = None
    stop_price: GivenAmount | None = None
    stop_loss: GivenAmount | None = None
    take_profit: GivenAmount | None = None
    expires_at: GivenInstant | None = None
    trailing_distance: GivenAmount | None = None
    trailing_unit: TrailingUnit = TrailingUnit.PRICE
    is_reduce_only: bool = False
    is_post_only: bool = False
    oco_group: Key | None = None


class Replacement(Body):
    """What is to be another; what is left out stays. The key is the order's from then on."""

    client_order_id: Key | None = None
    quantity: GivenAmount | None = None
    limit_price: GivenAmount | None = None
    stop_price: GivenAmount | None = None


class Reported(Answer):
    """An order after a command.

    `is_awaited`: a provider's answer is awaited, so it is not the end; ask again. `is_replay`: the
    command had been given before, and this is what became of it.
    """

    order_id: str
    client_order_id: str
    status: str
    filled_quantity: Amount
    average_price: Amount | None
    refused_by: str | None
    refusal_code: str | None
    is_awaited: bool
    is_replay: bool


def reported(report: dict[str, Any]) -> Reported:
    """Return an engine's report of an order as it is answered."""
    return Reported.model_validate({**report, "is_awaited": report["is_routed"]})


@router.get("/orders", summary="Orders of the caller, or of a user or account")
def orders(calling: Calling, session: Database, asked: Annotated[OrdersAsked, Query()]) -> Orders:
    """List orders, the newest first; with account and client_order_id: what became of one."""
    found = list_orders(
        session,
        user_id=owner_of(session, calling, asked.account_id, asked.user_id),
        account_id=text(asked.account_id),
        symbol=asked.symbol,
        status=asked.status,
        client_order_id=asked.client_order_id,
        before=text(asked.cursor),
        count_max=asked.limit,
    )
    rows = [Order.model_validate(each) for each in found]
    return Orders(orders=rows, next=rows[-1].id if len(rows) == asked.limit else None)


@router.get("/orders/{order_id}", summary="An order with its events")
def order(calling: Calling, session: Database, order_id: UUID) -> OneOrder:
    """Show an order and every step that it took."""
    found, events = order_of(session, calling, order_id)
    return OneOrder(
        order=Order.model_validate(found), events=[Event.model_validate(each) for each in events]
    )


@router.post("/accounts/{account_id}/orders", status_code=201, summary="Ask for an order")
def submit(asking: Asking, account_id: UUID, body: NewOrder) -> Reported:
    """Ask for an order; one that was denied is an order too, with the status rejected."""
    with lent(asking.request) as session:
        owner = account_of(session, asking.calling, account_id, Action.TRADE_OWN)
    key = asking.key_of(body.client_order_id, "client_order_id")
    fields = {**body.model_dump(mode="json"), "account_id": owner.id, "client_order_id": key}
    report = asking.ask("submit_order", fields)
    asking.made(report)
    return reported(report)


@router.post("/orders/{order_id}/cancel", summary="Cancel an order")
def cancel(asking: Asking, order_id: UUID) -> Reported:
    """Cancel what is left of an order; again it is refused with ORDER_ENDED."""
    with lent(asking.request) as session:
        found, _ = order_of(session, asking.calling, order_id, Action.TRADE_OWN)
    fields = {"account_id": found.account_id, "client_order_id": found.client_order_id}
    return reported(asking.ask("cancel_order", fields))


@router.post("/orders/{order_id}/replace", summary="Give an order another quantity or price")
def replace(asking: Asking, order_id: UUID, body: Replacement) -> Reported:
    """Replace what rests of an order under a new key."""
    with lent(asking.request) as session:
        found, _ = order_of(session, asking.calling, order_id, Action.TRADE_OWN)
    fields = {
        **body.model_dump(mode="json", exclude={"client_order_id"}),
        "account_id": found.account_id,
        "client_order_id": found.client_order_id,
        "new_client_order_id": asking.key_of(body.client_order_id, "client_order_id"),
    }
    return reported(asking.ask("replace_order", fields))
