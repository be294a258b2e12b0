"""Payments: begun by clients through providers, decided by officers with four eyes."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from tradewright import payments as room
from tradewright.access import Action, Caller, require
from tradewright.core.money import parse_amount
from tradewright.payments import (
    Origin,
    Payment,
    PaymentKind,
    PaymentRequest,
    PaymentStatus,
    Provider,
    decisions,
)
from tradewright.payments.attempts import ask_for_payment
from tradewright.server.http.asking import Asker, Asking
from tradewright.server.http.callers import Calling, Database, lent
from tradewright.server.http.own import payment_of, whose
from tradewright.server.http.values import (
    Amount,
    Answer,
    Body,
    GivenAmount,
    Instant,
    Limit,
    Words,
    text,
)

router = APIRouter(prefix="/v1", tags=["payments"])


class OnePayment(Answer):
    """A deposit or withdrawal as it stands."""

    id: str
    user_id: str
    kind: str
    currency: str
    amount: Amount
    status: str
    provider: str
    destination: str | None
    failure_reason: str | None
    created_at: Instant
    completed_at: Instant | None


class Payments(Answer):
    """Payments, the newest first; `next` is the cursor of older ones, if there may be any."""

    payments: list[OnePayment]
    next: str | None


class PaymentsAsked(Body):
    """Which payments are asked for; `everybody` is for staff, such as the queue for approval."""

    user_id: UUID | None = None
    everybody: bool = False
    status: PaymentStatus | None = None
    kind: PaymentKind | None = None
    cursor: UUID | None = None
    limit: Limit = 50


class NewPayment(Body):
    """A payment that is asked for; the same id again is the same payment."""

    payment_id: UUID | None = None
    kind: PaymentKind
    amount: GivenAmount
    currency: Annotated[str, Field(pattern="^[A-Z0-9]{2,10}$")]
    provider: Literal["cards", "chain"]
    destination: Annotated[str, Field(pattern=r"^[!-~]{1,200}$")] | None = None
    device: Annotated[str, Field(pattern=r"^[!-~]{1,200}$")] | None = None


class Refusal(Body):
    """Why a payment is ended; it is kept with it."""

    reason: Words


@router.get("/payments", summary="Payments of the caller, of a user, or of everybody")
def payments(
    calling: Calling, session: Database, asked: Annotated[PaymentsAsked, Query()]
) -> Payments:
    """List payments, the newest first."""
    found = room.list_payments(
        session,
        status=asked.status,
        kind=asked.kind,
        user_id=_of_whom(calling, asked),
        before=text(asked.cursor),
        count_max=asked.limit,
    )
    rows = [OnePayment.model_validate(each) for each in found]
    return Payments(payments=rows, next=rows[-1].id if len(rows) == asked.limit else None)


@router.get("/payments/{payment_id}", summary="A payment")
def payment(calling: Calling, session: Database, payment_id: UUID) -> OnePayment:
    """Show a payment as it stands."""
    return OnePayment.model_validate(payment_of(session, calling, payment_id))


@router.post("/payments", status_code=201, summary="Begin a deposit or a withdrawal")
def begin(asking: Asking, body: NewPayment) -> OnePayment:
    """Begin a payment of the caller's own; limits and fraud checks apply as everywhere.

    A deposit is pending until its provider tells of the money; a withdrawal's money is set aside,
    and a large one waits for an officer.
    """
    require(asking.calling, Action.PAY_OWN)
    request = _request(asking, body)
    with lent(asking.request) as session:
        begun, is_replay = ask_for_payment(session, request, actor=asking.calling.actor)
    asking.made({"is_replay": is_replay})
    return OnePayment.model_validate(begun)


@router.post("/payments/{payment_id}/approve", summary="Let a payment go on that waits for it")
def approve(calling: Calling, session: Database, payment_id: UUID) -> OnePayment:
    """Approve somebody else's payment, as a payments officer."""
    require(calling, Action.DECIDE_PAYMENTS)
    return _shown(decisions.approve(session, str(payment_id), calling.user_id))


@router.post("/payments/{payment_id}/deny", summary="End a payment that waits for approval")
def deny(calling: Calling, session: Database, payment_id: UUID, body: Refusal) -> OnePayment:
    """End somebody else's payment, as a payments officer; what was set aside is given back."""
    require(calling, Action.DECIDE_PAYMENTS)
    officer = calling.user_id
    return _shown(decisions.refuse(session, str(payment_id), officer, reason=body.reason))


def _shown(payment: Payment) -> OnePayment:
    return OnePayment.model_validate(payment)


def _of_whom(calling: Caller, asked: PaymentsAsked) -> str | None:
    """Return whose payments are asked for; None for everybody's."""
    if asked.everybody:
        require(calling, Action.READ_PAYMENTS)
        return None
    return whose(calling, asked.user_id, Action.READ_PAYMENTS)


def _request(asking: Asker, body: NewPayment) -> PaymentRequest:
    client = asking.request.client
    return PaymentRequest(
        payment_id=str(UUID(asking.key_of(body.payment_id, "payment_id"))),
        user_id=asking.calling.user_id,
        kind=body.kind,
        currency=body.currency,
        amount=parse_amount(body.amount, body.currency).amount,
        provider=Provider(body.provider),
        destination=body.destination,
        origin=Origin(device=body.device, ip_address=client.host if client else None),
    )
