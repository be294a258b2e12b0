"""Positions: read from the database, closed through the engine."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from tradewright.access import Action
from tradewright.server.http.asking import Asking
from tradewright.server.http.callers import Calling, Database, lent
from tradewright.server.http.own import owner_of, position_of
from tradewright.server.http.routes.orders import Reported, reported
from tradewright.server.http.values import (
    Amount,
    Answer,
    Body,
    GivenAmount,
    Instant,
    Key,
    Limit,
    Symbol,
    text,
)
from tradewright.trading.inquiry import list_positions

router = APIRouter(prefix="/v1", tags=["positions"])


class Position(Answer):
    """A position; its quantity is below zero when it is short."""

    id: str
    account_id: str
    symbol: str
    position_mode: str
    quantity: Amount
    average_price: Amount
    realised_pnl: Amount
    stop_loss: Amount | None
    take_profit: Amount | None
    is_open: bool
    opened_at: Instant
    closed_at: Instant | None


class Positions(Answer):
    """Positions, the newest first; `next` is the cursor of older ones, if there may be any."""

    positions: list[Position]
    next: str | None


class PositionsAsked(Body):
    """Which positions are asked for."""

    user_id: UUID | None = None
    account_id: UUID | None = None
    symbol: Symbol | None = None
    with_closed: bool = False
    cursor: UUID | None = None
    limit: Limit = 50


class Closing(Body):
    """What is to be closed: all, or a quantity."""

    client_order_id: Key | None = None
    quantity: GivenAmount | None = None


class Pairing(Body):
    """The opposite position that closes this one."""

    by_position_id: UUID
    close_by_id: UUID | None = None


class Paired(Answer):
    """What was closed of both, and the result in the account's currency."""

    close_by_id: str
    quantity: Amount
    price: Amount
    realised_pnl: Amount
    is_replay: bool


class Amending(Body):
    """Which levels it is to have; null takes one away, and one that is left out stays."""

    amendment_id: UUID | None = None
    stop_loss: GivenAmount | None = None
    take_profit: GivenAmount | None = None


class Amended(Answer):
    """The levels of a position after an amendment; in FIFO those of all of the symbol."""

    amendment_id: str
    position_id: str
    stop_loss: Amount | None
    take_profit: Amount | None
    is_replay: bool


@router.get("/positions", summary="Positions of the caller, or of a user or account")
def positions(
    calling: Calling, session: Database, asked: Annotated[PositionsAsked, Query()]
) -> Positions:
    """List positions, the newest first; those that are open unless all are asked for."""
    found = list_positions(
        session,
        user_id=owner_of(session, calling, asked.account_id, asked.user_id),
        account_id=text(asked.account_id),
        symbol=asked.symbol,
        with_closed=asked.with_closed,
        before=text(asked.cursor),
        count_max=asked.limit,
    )
    rows = [Position.model_validate(each) for each in found]
    return Positions(positions=rows, next=rows[-1].id if len(rows) == asked.limit else None)


@router.get("/positions/{position_id}", summary="A position")
def position(calling: Calling, session: Database, position_id: UUID) -> Position:
    """Show a position, open or closed."""
    return Position.model_validate(position_of(session, calling, position_id))


@router.patch("/positions/{position_id}", summary="Change stop-loss and take-profit")
def amend(asking: Asking, position_id: UUID, body: Amending) -> Amended:
    """Change, add or remove the stop-loss and the take-profit of an open position."""
    with lent(asking.request) as session:
        found = position_of(session, asking.calling, position_id, Action.TRADE_OWN)
    levels = {"stop_loss": body.stop_loss, "take_profit": body.take_profit}
    fields = {
        "account_id": found.account_id,
        "amendment_id": asking.key_of(body.amendment_id, "amendment_id"),
        "position_id": found.id,
        "symbol": found.symbol,
        **{name: None if one is None else f"{one:f}" for name, one in levels.items()},
    }
    asked = body.model_fields_set
    taken_away = [name for name, one in levels.items() if one is None and name in asked]
    return Amended.model_validate(asking.ask("amend_position", fields, taken_away=taken_away))


@router.post("/positions/{position_id}/close", status_code=201, summary="Close a position")
def close(asking: Asking, position_id: UUID, body: Closing) -> Reported:
    """Close a position or a part of it with an order at the market."""
    with lent(asking.request) as session:
        found = position_of(session, asking.calling, position_id, Action.TRADE_OWN)
    fields = {
        "account_id": found.account_id,
        "position_id": found.id,
        "symbol": found.symbol,
        "quantity": None if body.quantity is None else f"{body.quantity:f}",
        "client_order_id": asking.key_of(body.client_order_id, "client_order_id"),
    }
    report = asking.ask("close_position", fields)
    asking.made(report)
    return reported(report)


@router.post("/positions/{position_id}/close-by", status_code=201, summary="Close two positions")
def close_by(asking: Asking, position_id: UUID, body: Pairing) -> Paired:
    """Close two opposite positions against each other, without a spread."""
    with lent(asking.request) as session:
        found = position_of(session, asking.calling, position_id, Action.TRADE_OWN)
        other = position_of(session, asking.calling, body.by_position_id, Action.TRADE_OWN)
    fields = {
        "account_id": found.account_id,
        "close_by_id": asking.key_of(body.close_by_id, "close_by_id"),
        "position_id": found.id,
        "by_position_id": other.id,
        "symbol": found.symbol,
    }
    report = asking.ask("close_by", fields)
    asking.made(report)
    return Paired.model_validate(report)
