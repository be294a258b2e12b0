"""The only SQL of payments: reads and writes of one payment, its user, limits and history."""

import json
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from tradewright.core.ids import new_id_text
from tradewright.payments.model import (
    FraudCheck,
    History,
    Limit,
    Payment,
    PaymentKind,
    PaymentRequest,
    PaymentStatus,
    PaymentUser,
)
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries


def read_user(connection: Session, user_id: str) -> PaymentUser | None:
    """Return what payments need to know of a user."""
    row = _one(connection, "user", user_id=user_id)
    return None if row is None else PaymentUser(*row)


def has_role(connection: Session, user_id: str, role: str) -> bool:
    """Tell whether a user has a role."""
    row = _one(connection, "has_role", user_id=user_id, role=role)
    return bool(row and row[0])


def lock_wallet(connection: Session, user_id: str, currency: str, *, is_opened: bool) -> None:
    """Lock a wallet, opened first when `is_opened`; without one there is nothing to lock."""
    _one(connection, "lock_wallet", user_id=user_id, currency=currency, open=is_opened)


def read_payment(connection: Session, payment_id: str) -> Payment | None:
    """Return a payment as it stands now."""
    row = _one(connection, "payment", payment_id=payment_id)
    return None if row is None else _payment(row)


def lock_payment(connection: Session, payment_id: str) -> Payment | None:
    """Lock a payment, after its wallet, and return it."""
    row = _one(connection, "lock_payment", payment_id=payment_id)
    return None if row is None else _payment(row)


def read_limit(connection: Session, kyc_level: int, request: PaymentRequest) -> Limit | None:
    """Return the limit for a level and the request's kind and currency."""
    row = _one(
        connection, "limit", kyc_level=kyc_level, kind=request.kind, currency=request.currency
    )
    return None if row is None else Limit(*row)


def read_day_sum(connection: Session, request: PaymentRequest) -> Decimal:
    """Return what the user's payments of this kind and currency take of this UTC day's limit."""
    row = _one(
        connection,
        "day_sum",
        user_id=request.user_id,
        kind=request.kind,
        currency=request.currency,
    )
    return Decimal(0) if row is None else Decimal(row[0])


def read_history(connection: Session, request: PaymentRequest, user: PaymentUser) -> History:
    """Return the figures that a fraud check of this request judges by."""
    row = _one(
        connection,
        "history",
        user_id=request.user_id,
        kind=request.kind,
        currency=request.currency,
        payment_id=request.payment_id,
    )
    if row is None:
        raise AssertionError("an aggregate query always answers one row")
    return History(
        user_age=user.age,
        payments_last_hour=row[0],
        failures_last_day=row[1],
        succeeded_count=row[2],
        amount_average=row[3],
        deposit_age=row[4],
        has_traded_since=row[5],
    )


def insert_payment(connection: Session, request: PaymentRequest) -> None:
    """Write a new payment, pending."""
    connection.execute(load_queries("tradewright.payments")["insert_payment"], asdict(request))


def insert_fraud_check(connection: Session, payment_id: str, check: FraudCheck) -> None:
    """Keep what a fraud check found."""
    findings = {
        name: {"points": finding.points, **finding.inputs}
        for name, finding in check.findings.items()
    }
    connection.execute(
        load_queries("tradewright.payments")["insert_fraud_check"],
        {
            "id": new_id_text(),
            "payment_id": payment_id,
            "risk_score": check.score,
            "risk_level": check.level,
            "findings": json.dumps(findings),
        },
    )


def move_payment(
    connection: Session, payment_id: str, status: PaymentStatus, **given: str | None
) -> Payment:
    """Take a payment to its next state and return it.

    `given` may name hold_id, approved_by and failure_reason; what is not given stays.
    """
    parameters = {"hold_id": None, "approved_by": None, "failure_reason": None, **given}
    row = _one(connection, "move_payment", payment_id=payment_id, status=status, **parameters)
    if row is None:
        raise AssertionError(payment_id)
    return _payment(row)


def _payment(row: tuple[Any, ...]) -> Payment:
    return Payment(
        id=row[0],
        user_id=row[1],
        kind=PaymentKind(row[2]),
        currency=row[3],
        amount=row[4],
        status=PaymentStatus(row[5]),
        hold_id=row[6],
        approved_by=row[7],
        failure_reason=row[8],
        created_at=row[9],
        completed_at=row[10],
    )


def _one(connection: Session, query: str, **parameters: object) -> tuple[Any, ...] | None:
    return connection.execute(load_queries("tradewright.payments")[query], parameters).fetchone()
