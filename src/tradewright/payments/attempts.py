"""What clients ask for, whole: the payment begins, or its refusal is kept.

`service` begins payments in the caller's transaction, which a refusal takes back with everything
in it. Whoever tries what passes would leave no trace then, so the refusal is noted in a transaction
of its own, and the fraud checks count it like a payment that failed.
"""

from dataclasses import dataclass
from datetime import datetime

from tradewright.audit import acting_as
from tradewright.core.errors import ErrorCode, MoneyError, StateError
from tradewright.payments import store
from tradewright.payments.model import Payment, PaymentRequest
from tradewright.payments.service import begin_payment, require_not_denied
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

COUNTED = frozenset(
    {
        ErrorCode.MONEY_INSUFFICIENT_FUNDS,
        ErrorCode.MONEY_WALLET_CLOSED,
        ErrorCode.MONEY_WALLET_FROZEN,
        ErrorCode.PAYMENT_DEBT_OPEN,
        ErrorCode.PAYMENT_LIMIT_EXCEEDED,
        ErrorCode.USER_NOT_ACTIVE,
    }
)
"""Refusals that say something about who asks. A rate that is missing is the house's own fault, and
what is written wrongly was not meant."""


@dataclass(frozen=True, slots=True)
class RefusedAttempt:
    """A payment that was refused before it began: whose, which way, why, from where and when."""

    id: str
    user_id: str
    kind: str
    code: str
    ip_address: str | None
    refused_at: datetime


def ask_for_payment(
    connection: Session, request: PaymentRequest, *, actor: str
) -> tuple[Payment, bool]:
    """Begin a payment under its client's name; return it, and whether it had begun before.

    `connection` is in autocommit.

    Raises:
        StateError: PAYMENT_FRAUD_SUSPECTED; the payment is kept as failed.
        InputError, MoneyError, StateError: what `begin_payment` raises.

    """
    try:
        with connection.transaction():
            acting_as(connection, actor)
            begun, is_replay = begin_payment(connection, request)
    except (MoneyError, StateError) as refusal:
        if refusal.code in COUNTED:
            with connection.transaction():
                _note(connection, request, refusal.code)
        raise
    return require_not_denied(begun), is_replay


def read_refused(
    connection: Session, *, user_id: str | None = None, count_max: int
) -> list[RefusedAttempt]:
    """Return what was refused before it began, the newest first."""
    asked = {"user_id": user_id, "count_max": count_max}
    rows = connection.execute(load_queries("tradewright.payments")["refusals"], asked)
    return [RefusedAttempt(*row) for row in rows]


def _note(connection: Session, request: PaymentRequest, code: ErrorCode) -> None:
    _, ip_address_id = store.see_origin(connection, request)
    store.write_one(
        connection,
        "insert_refusal",
        user_id=request.user_id,
        kind=request.kind,
        code=code,
        ip_address_id=ip_address_id,
    )
