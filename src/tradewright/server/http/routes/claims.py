"""Refunds and disputes: what is asked back of deposits; a refund is an officer's to ask for."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from tradewright import audit, payments
from tradewright.access import Action, Caller, may, require
from tradewright.core.money import parse_amount
from tradewright.payments import ClaimKind, ClaimOrder, ListedClaim
from tradewright.postgres.connect import Session
from tradewright.server.http.asking import Asking
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


class Claim(Answer):
    """A refund or dispute as it stands; its amount is of its deposit's currency."""

    id: str
    kind: str
    payment_id: str
    user_id: str
    currency: str
    amount: Amount
    reason: str
    status: str
    created_at: Instant
    completed_at: Instant | None


class Claims(Answer):
    """Refunds and disputes, the newest first; `next` is the cursor of older ones, if any."""

    claims: list[Claim]
    next: str | None


class ClaimsAsked(Body):
    """Which are asked for; `everybody` is for staff, such as the disputes that are open."""

    user_id: UUID | None = None
    payment_id: UUID | None = None
    everybody: bool = False
    kind: ClaimKind | None = None
    with_ended: bool = True
    cursor: UUID | None = None
    limit: Limit = 50


class Refund(Body):
    """What an officer gives back of a deposit; the same id again is the same refund."""

    claim_id: UUID | None = None
    amount: GivenAmount
    reason: Words


@router.get("/claims", summary="Refunds and disputes of the caller, of a user, or of everybody")
def claims(calling: Calling, session: Database, asked: Annotated[ClaimsAsked, Query()]) -> Claims:
    """List refunds and disputes, the newest first."""
    found = payments.list_claims(
        session,
        user_id=_of_whom(session, calling, asked),
        payment_id=text(asked.payment_id),
        kind=asked.kind,
        with_ended=asked.with_ended,
        before=text(asked.cursor),
        count_max=asked.limit,
    )
    rows = [Claim.model_validate(each) for each in found]
    return Claims(claims=rows, next=rows[-1].id if len(rows) == asked.limit else None)


@router.get("/claims/{claim_id}", summary="A refund or dispute")
def claim(calling: Calling, session: Database, claim_id: UUID) -> Claim:
    """Show a refund or dispute as it stands."""
    found = _found(session, str(claim_id))
    if found is None or not _may_read(calling, found.user_id):
        raise payments.unknown_claim(str(claim_id))
    return Claim.model_validate(found)


@router.post("/payments/{payment_id}/refunds", status_code=201, summary="Give a deposit back")
def refund(asking: Asking, payment_id: UUID, body: Refund) -> Claim:
    """Set a part of somebody else's deposit aside to be given back, as a payments officer."""
    require(asking.calling, Action.DECIDE_PAYMENTS)
    officer = asking.calling.user_id
    claim_id = str(UUID(asking.key_of(body.claim_id, "claim_id")))
    with lent(asking.request) as session, session.transaction():
        audit.acting_as(session, asking.calling.actor, reason=body.reason)
        payment = payments.find_payment(session, str(payment_id))
        is_replay = payments.read_claim(session, claim_id) is not None
        order = ClaimOrder(
            claim_id=claim_id,
            kind=ClaimKind.REFUND,
            amount=parse_amount(body.amount, payment.currency).amount,
            reason=body.reason,
        )
        payments.request_refund(session, order, payment_id=payment.id, officer_id=officer)
        made = _found(session, claim_id)
    asking.made({"is_replay": is_replay})
    return Claim.model_validate(made)


def _found(session: Session, claim_id: str) -> ListedClaim | None:
    found = payments.list_claims(session, claim_id=claim_id, count_max=1)
    return found[0] if found else None


def _may_read(calling: Caller, owner: str) -> bool:
    if owner == calling.user_id:
        require(calling, Action.READ_OWN)
        return True
    return may(calling, Action.READ_PAYMENTS)


def _of_whom(session: Session, calling: Caller, asked: ClaimsAsked) -> str | None:
    """Return whose are asked for; None for everybody's."""
    if asked.everybody:
        require(calling, Action.READ_PAYMENTS)
        return None
    if asked.payment_id is not None:
        return payment_of(session, calling, asked.payment_id).user_id
    return whose(calling, asked.user_id, Action.READ_PAYMENTS)
