"""Payments that are refused before they begin: kept, counted by fraud checks, and told of."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.cast import value
from tests.news import settled_user
from tradewright import audit, payments
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.payments import Origin, Payment, PaymentKind, PaymentRequest, Provider
from tradewright.payments.attempts import ask_for_payment, read_refused
from tradewright.postgres.connect import Session
from tradewright.risk.alerts import read_alerts

HERE = Origin(ip_address="192.0.2.7")


@pytest.fixture(autouse=True)
def laws_hold(engine: Session) -> Iterator[None]:
    """Hold every law after each of these tests, whatever it did."""
    yield
    audit.require_laws(audit.check_laws(engine))


def ask(session: Session, user_id: str, amount: str, **changes: object) -> Payment:
    fields = {
        "payment_id": new_id_text(),
        "user_id": user_id,
        "kind": PaymentKind.DEPOSIT,
        "currency": "USD",
        "amount": Decimal(amount),
        "provider": Provider.CARDS,
        "origin": HERE,
    }
    request = PaymentRequest(**(fields | changes))  # type: ignore[arg-type]
    return ask_for_payment(session, request, actor=f"user:{user_id}")[0]


def refused(session: Session, user_id: str, amount: str, **changes: object) -> ErrorCode:
    with pytest.raises(TradewrightError) as caught:
        ask(session, user_id, amount, **changes)
    return caught.value.code


def test_who_is_refused_again_and_again_is_counted_denied_and_told(engine: Session) -> None:
    """A card tester over the limit was seen by nobody, however often."""
    user_id = settled_user(engine)
    for _ in range(10):
        assert refused(engine, user_id, "99999999") == ErrorCode.PAYMENT_LIMIT_EXCEEDED
    assert refused(engine, user_id, "1") == ErrorCode.PAYMENT_FRAUD_SUSPECTED
    [payment] = payments.list_payments(engine, user_id=user_id)
    [check] = payments.read_fraud_checks(engine, payment.id)
    assert check["findings"] == {
        "payments_in_last_hour": {"points": 60, "payments": "10"},
        "failures_in_last_day": {"points": 40, "failures": "10"},
        "ip_address_in_last_hour": {"points": 30, "payments": "10"},
    }
    told = f"user {user_id} was refused 10 payments within an hour, the last for"
    assert [alert.what for alert in read_alerts(engine, count_max=9)] == [
        f"{told} PAYMENT_LIMIT_EXCEEDED"
    ]
    assert payments.find_payment(engine, payment.id).failure_reason == "PAYMENT_FRAUD_SUSPECTED"


def test_an_address_whose_users_are_refused_is_told_of(engine: Session) -> None:
    users = [settled_user(engine) for _ in range(4)]
    for user_id in users * 5:
        refused(engine, user_id, "99999999")
    [alert] = read_alerts(engine, count_max=9)
    assert alert.kind == "payments_refused"
    assert alert.what.startswith("20 payments asked for from address 192.0.2.7 were refused")
    assert [one.user_id for one in read_refused(engine, count_max=4)] == users[::-1]


WITHDRAWAL = {"kind": PaymentKind.WITHDRAWAL, "destination": "DE02"}


def test_what_says_something_about_who_asks_is_kept_and_nothing_else(engine: Session) -> None:
    user_id, known = settled_user(engine, "50"), new_id_text()
    ask(engine, user_id, "1", payment_id=known)
    assert refused(engine, user_id, "60", **WITHDRAWAL) == ErrorCode.MONEY_INSUFFICIENT_FUNDS
    for code, changes in (
        (ErrorCode.EXCHANGE_RATE_MISSING, {"currency": "EUR"}),
        (ErrorCode.PAYMENT_ROUTE_MISSING, {"provider": Provider.CHAIN}),
        (ErrorCode.MONEY_IDEMPOTENCY_CONFLICT, {"payment_id": known}),
    ):
        assert refused(engine, user_id, "2", **changes) == code
    engine.execute("UPDATE users SET status = 'suspended' WHERE id = %s", (user_id,))
    assert refused(engine, user_id, "1") == ErrorCode.USER_NOT_ACTIVE
    kept = read_refused(engine, user_id=user_id, count_max=9)
    assert [(one.kind, one.code, one.ip_address) for one in kept] == [
        ("deposit", "USER_NOT_ACTIVE", "192.0.2.7"),
        ("withdrawal", "MONEY_INSUFFICIENT_FUNDS", "192.0.2.7"),
    ]
    assert value(engine, "SELECT count(*) FROM payment_transactions") == 1
    assert read_refused(engine, user_id=settled_user(engine), count_max=9) == []
