"""Money that came for refused deposits: what is in suspense, and its sending back by officers."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from tradewright import audit
from tradewright.access import Action, require
from tradewright.payments.send_backs import SendBack, read_return, send_back
from tradewright.payments.suspense import list_suspense
from tradewright.server.http.asking import Asking
from tradewright.server.http.callers import Calling, Database, lent
from tradewright.server.http.values import Amount, Answer, Body, Instant, Limit, Words

router = APIRouter(prefix="/v1", tags=["payments"])


class Item(Answer):
    """Money in suspense, or that was: held, going back, or gone, and by whose word."""

    id: str
    payment_id: str
    provider: str
    currency: str
    amount: Amount
    reason: str
    opened_by: str
    opened_at: Instant
    state: str
    how: str | None
    reference: str | None
    returned_by: str | None
    returned_at: Instant | None


class Items(Answer):
    """What is in suspense, the oldest first, and then what has gone."""

    items: list[Item]


class ItemsAsked(Body):
    """How many are asked for."""

    limit: Limit = 50


class Return(Answer):
    """The sending back of money in suspense, as it stands."""

    id: str
    item_id: str
    payment_id: str
    provider: str
    currency: str
    amount: Amount
    destination: str | None
    reference: str | None
    reason: str
    status: str
    returned_by: str | None
    created_at: Instant


class NewReturn(Body):
    """What an officer sends back; the same id again is the same. Coins need a destination."""

    return_id: UUID | None = None
    destination: Annotated[str, Field(pattern=r"^[!-~]{1,200}$")] | None = None
    reason: Words


@router.get("/suspense", summary="Money that came for refused deposits")
def items(calling: Calling, session: Database, asked: Annotated[ItemsAsked, Query()]) -> Items:
    """List what is in suspense, for staff."""
    require(calling, Action.READ_PAYMENTS)
    found = list_suspense(session, count_max=asked.limit)
    return Items(items=[Item.model_validate(each) for each in found])


@router.post("/suspense/{item_id}/send-back", status_code=201, summary="Send it back")
def send(asking: Asking, item_id: UUID, body: NewReturn) -> Return:
    """Send it back to its payer, as another payments officer than who put it there."""
    require(asking.calling, Action.DECIDE_PAYMENTS)
    order = SendBack(
        return_id=str(UUID(asking.key_of(body.return_id, "return_id"))),
        item_id=str(item_id),
        officer_id=asking.calling.user_id,
        reason=body.reason,
        destination=body.destination,
    )
    with lent(asking.request) as session, session.transaction():
        audit.acting_as(session, asking.calling.actor, reason=body.reason)
        is_replay = read_return(session, order.return_id) is not None
        made = send_back(session, order)
    asking.made({"is_replay": is_replay})
    return Return.model_validate(made)
