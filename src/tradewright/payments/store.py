"""The only SQL of payments: reads and writes of one payment, its user, limits and history."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from tradewright.core.ids import new_id_text
from tradewright.payments.model import (
    Counted,
    Finding,
    FraudCheck,
    History,
    Limit,
    Payment,
    PaymentKind,
    PaymentRequest,
    PaymentStatus,
    PaymentUser,
    Provider,
    RiskLevel,
)
from tradewright.payments.rules import verdict_of
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries


def read_user(connection: Session, user_id: str) -> PaymentUser | None:
    """Return what payments need to know of a user."""
    row = one(connection, "user", user_id=user_id)
    return None if row is None else PaymentUser(*row)


def has_role(connection: Session, user_id: str, role: str) -> bool:
    """Tell whether a user has a role."""
    row = one(connection, "has_role", user_id=user_id, role=role)
    return bool(row and row[0])


def lock_wallet(connection: Session, user_id: str, currency: str, *, is_opened: bool) -> None:
    """Lock a wallet, opened first when `is_opened`; without one there is nothing to lock."""
    one(connection, "lock_wallet", user_id=user_id, currency=currency, open=is_opened)


def is_wallet_closed(connection: Session, user_id: str, currency: str) -> bool:
    """Tell whether a wallet, which is locked, is closed."""
    row = one(connection, "wallet_is_closed", user_id=user_id, currency=currency)
    return bool(row and row[0])


def read_payment(connection: Session, payment_id: str) -> Payment | None:
    """Return a payment as it stands now."""
    row = one(connection, "payment", payment_id=payment_id)
    return None if row is None else _payment(row)


def lock_payment(connection: Session, payment_id: str) -> Payment | None:
    """Lock a payment, after its wallet, and return it."""
    row = one(connection, "lock_payment", payment_id=payment_id)
    return None if row is None else _payment(row)


def read_limit(connection: Session, kyc_level: int, kind: PaymentKind) -> Limit | None:
    """Return the limit for a level and kind."""
    row = one(connection, "limit", kyc_level=kyc_level, kind=kind)
    return None if row is None else Limit(*row)


def take_turn_at_limit(connection: Session, user_id: str, kind: PaymentKind) -> None:
    """Wait until no other payment of the user and kind is being counted; keep the turn."""
    one(connection, "take_turn_at_limit", user_id=user_id, kind=kind)


def read_used(
    connection: Session,
    user_id: str,
    kind: PaymentKind,
    *,
    but: str | None,
    asked_at: datetime | None,
) -> list[tuple[str | None, Decimal, Decimal]]:
    """Return what the user's payments of a kind, `but` one, take of a day and of 30 days.

    `asked_at` is an instant that is not now: then what comes after it counts too. What was counted
    is in US dollars and has no currency; what was not has its own.
    """
    asked = {"user_id": user_id, "kind": kind, "payment_id": but, "asked_at": asked_at}
    return connection.execute(load_queries("tradewright.payments")["used"], asked).fetchall()


def read_history(connection: Session, request: PaymentRequest, user: PaymentUser) -> History:
    """Return the figures that a fraud check of this payment, already written, judges by."""
    asked = {"user_id": request.user_id, "kind": request.kind, "payment_id": request.payment_id}
    row = one(connection, "history", **asked)
    origin = one(connection, "origin", payment_id=request.payment_id)
    if row is None or origin is None:
        raise AssertionError(request.payment_id)
    return History(
        user_age=user.age,
        payments_last_hour=row[0],
        failures_last_day=row[1],
        succeeded_count=row[2],
        amount_average=row[3],
        amount=origin[4],
        deposit_age=row[4],
        has_traded_since=row[5],
        device_user_count=origin[0],
        device_age=origin[1],
        ip_user_count=origin[2],
        ip_payments_last_hour=origin[3],
        hides_device=origin[5],
    )


def insert_payment(connection: Session, request: PaymentRequest, counted: Counted | None) -> None:
    """Write a new payment, pending, with what it takes of limits and where it was asked from."""
    device_id, ip_address_id = see_origin(connection, request)
    connection.execute(
        load_queries("tradewright.payments")["insert_payment"],
        {
            "payment_id": request.payment_id,
            "user_id": request.user_id,
            "kind": request.kind,
            "currency": request.currency,
            "amount": request.amount,
            "counted_rate": counted and counted.rate,
            "counted_amount": counted and counted.amount,
            "provider": request.provider,
            "reference": request.reference,
            "destination": request.destination,
            "device_id": device_id,
            "ip_address_id": ip_address_id,
        },
    )


def see_origin(connection: Session, request: PaymentRequest) -> tuple[str | None, str | None]:
    """Note on which device and at which address the user was seen; return their rows."""
    origin = request.origin
    seen = {"user_id": request.user_id, "device": origin.device, "ip_address": origin.ip_address}
    device = one(connection, "see_device", **seen) if origin.device else None
    ip_address = one(connection, "see_ip_address", **seen) if origin.ip_address else None
    return device[0] if device else None, ip_address[0] if ip_address else None


def count_payment(connection: Session, payment_id: str, counted: Counted) -> None:
    """Note what a payment that was not counted yet takes of its user's limits."""
    write_one(
        connection,
        "count_payment",
        payment_id=payment_id,
        rate=counted.rate,
        amount=counted.amount,
    )


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

    `given` may name hold_id, approved_by and reference, which stay when they are not given, and
    failure_reason, which belongs to the new state.
    """
    parameters = {
        "hold_id": None,
        "approved_by": None,
        "failure_reason": None,
        "reference": None,
        **given,
    }
    row = one(connection, "move_payment", payment_id=payment_id, status=status, **parameters)
    if row is None:
        raise AssertionError(payment_id)
    return _payment(row)


def find_by_reference(connection: Session, provider: Provider, reference: str) -> str | None:
    """Return the id of the payment that a provider knows by a name."""
    row = one(connection, "payment_by_reference", provider=provider, reference=reference)
    return None if row is None else str(row[0])


def assign_address(
    connection: Session, provider: Provider, address: str, *, user_id: str, currency: str
) -> None:
    """Give an address of a provider to a user for ever: what arrives there is the user's deposit.

    Raises:
        psycopg.errors.UniqueViolation: when the address has an owner.

    """
    write_one(
        connection,
        "insert_address",
        provider=provider,
        address=address,
        user_id=user_id,
        currency=currency,
    )


def read_level(connection: Session, payment_id: str) -> RiskLevel:
    """Return the level of a payment's last fraud check."""
    row = one(connection, "verdict", payment_id=payment_id)
    if row is None:
        raise AssertionError(payment_id)
    return RiskLevel(row[0])


def list_payments(  # noqa: PLR0913 (one for each that may be asked for)
    connection: Session,
    *,
    status: str | None = None,
    kind: str | None = None,
    user_id: str | None = None,
    before: str | None = None,
    count_max: int = 50,
) -> list[Payment]:
    """List payments, the newest first, those `before` another; what is not given is not asked."""
    asked = {"status": status, "kind": kind, "user_id": user_id, "before": before}
    rows = connection.execute(
        load_queries("tradewright.payments")["list_payments"], asked | {"count_max": count_max}
    )
    return [_payment(row) for row in rows]


def read_fraud_checks(connection: Session, payment_id: str) -> list[dict[str, Any]]:
    """Return the fraud checks of a payment, oldest first, as they are kept."""
    rows = connection.execute(
        load_queries("tradewright.payments")["fraud_checks_of"], {"payment_id": payment_id}
    )
    return [{"score": row[0], "level": row[1], "findings": row[2]} for row in rows]


def read_last_check(connection: Session, payment_id: str) -> FraudCheck:
    """Return the last fraud check of a payment."""
    last = read_fraud_checks(connection, payment_id)[-1]
    findings = {
        name: Finding(found["points"], {key: found[key] for key in found if key != "points"})
        for name, found in last["findings"].items()
    }
    level = RiskLevel(last["level"])
    return FraudCheck(last["score"], level, verdict_of(level), findings)


@dataclass(frozen=True, slots=True)
class Due:
    """How far what is due has been gone through, by age: nothing after `until` is looked at."""

    until: datetime
    after_created_at: datetime | str = "-infinity"
    after_id: str = "00000000-0000-0000-0000-000000000000"

    def behind(self, created_at: datetime, row_id: str) -> "Due":
        """Return what is due behind a row."""
        return Due(self.until, created_at, row_id)

    def of(self, provider: str) -> dict[str, object]:
        """Return the parameters of a query for the next row."""
        return {"provider": provider} | asdict(self)


def all_due(connection: Session) -> Due:
    """Return what is due by now, from the oldest on."""
    query = load_queries("tradewright.payments")["this_instant"]
    (until,) = connection.execute(query).fetchall()[0]
    return Due(until)


def next_payment_due(connection: Session, provider: Provider, due: Due) -> Payment | None:
    """Return the next payment that a provider has not been told of yet, as it stands now."""
    query = load_queries("tradewright.payments")["next_payment_due"]
    row = connection.execute(query, due.of(provider)).fetchone()
    return None if row is None else _payment(row)


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
        provider=Provider(row[11]),
        reference=row[12],
        destination=row[13],
        arrived_at=row[14],
        counted=None if row[15] is None else Counted(row[15], row[16]),
    )


def write_one(connection: Session, query: str, **parameters: object) -> None:
    """Run one of this room's queries that writes a row and answers nothing."""
    connection.execute(load_queries("tradewright.payments")[query], parameters)


def one(connection: Session, query: str, **parameters: object) -> tuple[Any, ...] | None:
    """Run one of this room's queries and return its first row."""
    return connection.execute(load_queries("tradewright.payments")[query], parameters).fetchone()
