"""Limits on a real database: the ends of days and months, deposits that come late, and rates."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.cast import open_user
from tests.news import news, settled_user, start, tell, wallet
from tradewright import audit, payments
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.payments import Payment, PaymentKind, PaymentRequest, PaymentStatus, RateObserved
from tradewright.payments.model import Used
from tradewright.payments.rates import read_rate
from tradewright.payments.store import read_used
from tradewright.payments.webhooks.apply import OutcomeKind
from tradewright.postgres.connect import Session


@pytest.fixture(autouse=True)
def laws_hold(engine: Session) -> Iterator[None]:
    """Hold every law after each of these tests, whatever it did."""
    yield
    audit.require_laws(audit.check_laws(engine))


def status(session: Session, payment: Payment) -> PaymentStatus:
    return payments.find_payment(session, payment.id).status


def asked_for(session: Session, user_id: str, *instants: datetime) -> None:
    """Write deposits of 1, 10, 100 and so on that were asked for at these instants."""
    for power, instant in enumerate(instants):
        session.execute(
            "INSERT INTO payment_transactions (id, user_id, kind, currency, amount, created_at)"
            " VALUES (uuidv7(), %s, 'deposit', 'USD', %s, %s)",
            (user_id, 10**power, instant),
        )


MOMENT = timedelta(microseconds=1)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    "midnight",
    [
        datetime(2026, 3, 1, tzinfo=UTC),
        datetime(2028, 2, 29, tzinfo=UTC),
        datetime(2028, 3, 1, tzinfo=UTC),
        datetime(2026, 3, 29, tzinfo=UTC),
        datetime(2026, 10, 26, tzinfo=UTC),
        datetime(2027, 1, 1, tzinfo=UTC),
    ],
    ids=["February", "leap day", "leap year", "clocks forward", "clocks back", "year"],
)
def test_the_ends_of_days_months_and_years_part_what_counts(
    engine: Session, midnight: datetime, zone: str
) -> None:
    """Case 35: days are UTC's, and 30 days are 720 hours, whatever the month, zone or clock."""
    user_id = settled_user(engine)
    engine.execute(f"SET timezone TO '{zone}'".encode())
    month = timedelta(hours=720)
    asked_for(engine, user_id, midnight - month, midnight - month + MOMENT, midnight - MOMENT)
    asked_for(engine, user_id, midnight)
    request = PaymentRequest(
        payment_id=new_id_text(),
        user_id=user_id,
        kind=PaymentKind.DEPOSIT,
        currency="USD",
        amount=Decimal(1),
    )
    before = read_used(engine, request, asked_at=midnight - MOMENT)
    assert before == Used(day=Decimal(100), rolling=Decimal(1 + 10 + 100 + 1))
    after = read_used(engine, request, asked_at=midnight)
    assert after == Used(day=Decimal(1), rolling=Decimal(10 + 100 + 1))


def given_up(session: Session, user_id: str, amount: str) -> Payment:
    """Take a deposit that its provider could not collect."""
    payment = start(session, user_id, amount)
    tell(session, news(payment, "charge.failed"))
    return payment


def test_deposits_that_come_after_all_do_not_pass_the_limit_unseen(engine: Session) -> None:
    user_id, officer_id = settled_user(engine, kyc_level=1), open_user(engine)
    engine.execute(
        "INSERT INTO user_roles (user_id, role) VALUES (%s, 'payments_officer')", (officer_id,)
    )
    late = [given_up(engine, user_id, "1000") for _ in range(2)]
    late.append(given_up(engine, user_id, "0.01"))
    for payment in late:
        tell(engine, news(payment, "charge.succeeded"))
    assert [status(engine, payment) for payment in late] == [
        PaymentStatus.SUCCEEDED,
        PaymentStatus.SUCCEEDED,
        PaymentStatus.REQUIRES_APPROVAL,
    ]
    assert wallet(engine, user_id) == (2000, 0)
    findings = payments.read_fraud_checks(engine, late[-1].id)[-1]["findings"]
    assert findings["limit_exceeded"]["points"] == 30
    with engine.transaction():
        payments.approve_payment(engine, late[-1].id, officer_id)
    assert wallet(engine, user_id) == (Decimal("2000.01"), 0)


def test_a_deposit_of_yesterday_is_measured_among_yesterdays(engine: Session) -> None:
    """Of another day it takes nothing of today's, and it does not pass its own."""
    user_id = settled_user(engine, kyc_level=1)
    yesterday = [given_up(engine, user_id, "1000") for _ in range(3)]
    engine.execute(
        "UPDATE payment_transactions SET created_at = created_at - interval '24 hours'"
        " WHERE user_id = %s",
        (user_id,),
    )
    for payment in (start(engine, user_id, "1000"), start(engine, user_id, "1000"), *yesterday):
        tell(engine, news(payment, "charge.succeeded"))
    assert status(engine, yesterday[1]) is PaymentStatus.SUCCEEDED
    assert status(engine, yesterday[2]) is PaymentStatus.REQUIRES_APPROVAL
    assert wallet(engine, user_id) == (4000, 0)


def test_what_an_officer_has_refused_stays_refused(engine: Session) -> None:
    user_id, officer_id = settled_user(engine), open_user(engine, role="payments_officer")
    payment = start(engine, user_id)
    with engine.transaction():
        payments.cancel_deposit(engine, payment.id)
    tell(engine, news(payment, "charge.succeeded"))
    with engine.transaction():
        payments.refuse_payment(engine, payment.id, officer_id, reason="stolen")
    assert tell(engine, news(payment, "charge.succeeded")).kind is OutcomeKind.IGNORED
    assert status(engine, payment) is PaymentStatus.FAILED
    assert wallet(engine, user_id) == (0, 0)


def test_the_right_amount_after_a_refused_wrong_one_is_not_lost(engine: Session) -> None:
    """Case 40: what was refused was another amount, so an officer looks at the right one too."""
    user_id, officer_id = settled_user(engine), open_user(engine, role="payments_officer")
    payment = start(engine, user_id)
    tell(engine, news(payment, "charge.succeeded", amount="99"))
    with engine.transaction():
        payments.refuse_payment(engine, payment.id, officer_id, reason="sent back by hand")
    tell(engine, news(payment, "charge.succeeded"))
    assert status(engine, payment) is PaymentStatus.REQUIRES_APPROVAL


def rate(ahead: timedelta, *, of: str = "50000") -> RateObserved:
    return RateObserved(
        base="BTC",
        quote="USD",
        rate=Decimal(of),
        source="test",
        observed_at=datetime.now(UTC) + ahead,
    )


def test_a_rate_of_the_future_is_refused(engine: Session) -> None:
    with pytest.raises(TradewrightError) as caught:
        payments.record_rates(engine, [rate(timedelta(seconds=90))])
    assert caught.value.code == ErrorCode.INPUT_INSTANT_FUTURE


def test_a_rate_counts_from_its_instant_on(engine: Session) -> None:
    """The clock of a source may be a little ahead; until then the rate before is the newest."""
    payments.record_rates(engine, [rate(timedelta(seconds=50), of="1")])
    with pytest.raises(TradewrightError) as caught:
        read_rate(engine, "BTC", "USD")
    assert caught.value.code == ErrorCode.EXCHANGE_RATE_MISSING
    payments.record_rates(engine, [rate(timedelta(minutes=-1))])
    assert read_rate(engine, "BTC", "USD").rate == 50000


def test_a_rate_that_is_nothing_in_its_smallest_unit_is_refused(engine: Session) -> None:
    with pytest.raises(TradewrightError) as caught:
        payments.record_rates(engine, [rate(timedelta(0), of="0.000000001")])
    assert caught.value.code == ErrorCode.EXCHANGE_RATE_MALFORMED
