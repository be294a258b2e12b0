"""Money of refused deposits: into suspense, through reconciliation, and back by four eyes."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest

from tests.cast import open_user, value
from tests.db.test_payment_limits import coins, dropped, observe
from tests.news import deposited, news, settled_user, start, tell, wallet
from tradewright import audit, payments
from tradewright.core.clock import utc_now
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.core.money import Money
from tradewright.payments import Payment, PaymentStatus, Provider
from tradewright.payments.approvals import put_aside
from tradewright.payments.providers.booking import Booking, as_csv
from tradewright.payments.reconciliation.service import import_statement, reconcile
from tradewright.payments.reconciliation.settlement import settle
from tradewright.payments.suspense import list_suspense, send_back
from tradewright.payments.webhooks.apply import OutcomeKind
from tradewright.postgres.connect import Session
from tradewright.postgres.refusals import translate

TODAY = utc_now().date()


@pytest.fixture(autouse=True)
def laws_hold(engine: Session) -> Iterator[None]:
    """Hold every law after each of these tests, whatever it did."""
    yield
    audit.require_laws(audit.check_laws(engine))


def officer(session: Session) -> str:
    return open_user(session, role="payments_officer")


def refused_deposit(session: Session, officer_id: str) -> Payment:
    """Take a deposit whose money came although the house had canceled it, and refuse it."""
    payment = start(session, settled_user(session))
    with session.transaction():
        payments.cancel_deposit(session, payment.id)
    tell(session, news(payment, "charge.succeeded"))
    with session.transaction():
        return payments.refuse_payment(session, payment.id, officer_id, reason="stolen card")


def booked(payment: Payment, amount: str = "100") -> Booking:
    return Booking(
        kind="deposit",
        reference=f"ch_{payment.id}",
        currency="USD",
        amount=Decimal(amount),
        fee=Decimal(0),
        booked_on=TODAY,
    )


def take(session: Session, *bookings: Booking) -> dict[str, int]:
    with session.transaction():
        import_statement(session, Provider.CARDS, as_csv(list(bookings)))
        counts = reconcile(session, Provider.CARDS, since=TODAY - timedelta(days=1))
    return {str(bucket): count for bucket, count in counts.items() if count}


def held(session: Session, code: str) -> object:
    return value(
        session, "SELECT coalesce(sum(balance), 0) FROM house_positions WHERE code = %s", code
    )


def refusal(error: pytest.ExceptionInfo[TradewrightError | psycopg.Error]) -> ErrorCode:
    cause = error.value
    return translate(cause).code if isinstance(cause, psycopg.Error) else cause.code


def test_the_day_of_a_refused_deposit_can_be_settled_and_so_can_the_day_it_goes_back(
    engine: Session,
) -> None:
    first, second = officer(engine), officer(engine)
    payment = refused_deposit(engine, first)
    came = booked(payment)
    assert take(engine, came) == {"matched": 1}
    with engine.transaction():
        [settled] = settle(engine, Provider.CARDS, TODAY)
    assert settled.net == 100
    assert (held(engine, "clearing_cards"), held(engine, "suspense")) == (0, 100)
    [item] = list_suspense(engine, count_max=9)
    assert (item.payment_id, item.reason) == (payment.id, "stolen card")
    assert item.amount == 100
    for _ in range(2):
        with engine.transaction():
            sent = send_back(engine, item.id, second, reference="re_1", reason="not ours")
    assert (sent.returned_by, sent.reference, held(engine, "suspense")) == (second, "re_1", 0)
    assert take(engine, replace(came, kind="refund", reference="re_1")) == {"matched": 2}
    with engine.transaction():
        assert settle(engine, Provider.CARDS, TODAY)[1].net == -100
    assert (held(engine, "clearing_cards"), held(engine, "bank")) == (0, 0)
    assert wallet(engine, payment.user_id) == (0, 0)


def test_who_put_money_into_suspense_and_who_owns_it_do_not_send_it_back(engine: Session) -> None:
    first = officer(engine)
    payment = refused_deposit(engine, first)
    [item] = list_suspense(engine, count_max=9)
    engine.execute(
        "INSERT INTO user_roles (user_id, role) VALUES (%s, 'payments_officer')",
        (payment.user_id,),
    )
    for who in (first, payment.user_id, open_user(engine)):
        with pytest.raises(TradewrightError) as caught, engine.transaction():
            send_back(engine, item.id, who, reference="re_1", reason="x")
        assert refusal(caught) == ErrorCode.PAYMENT_SUSPENSE_RETURN_REFUSED
    assert held(engine, "suspense") == 100


def test_money_is_sent_back_once(engine: Session) -> None:
    first, second = officer(engine), officer(engine)
    refused_deposit(engine, first)
    [item] = list_suspense(engine, count_max=9)
    with engine.transaction():
        send_back(engine, item.id, second, reference="re_1", reason="x")
    with pytest.raises(TradewrightError) as caught, engine.transaction():
        send_back(engine, item.id, second, reference="re_2", reason="x")
    assert refusal(caught) == ErrorCode.PAYMENT_SUSPENSE_RETURN_REFUSED
    assert held(engine, "suspense") == 0


def test_another_amount_than_was_asked_for_goes_into_suspense_as_it_came(engine: Session) -> None:
    officer_id = officer(engine)
    payment = start(engine, settled_user(engine))
    tell(engine, news(payment, "charge.succeeded", amount="99"))
    with engine.transaction():
        payments.refuse_payment(engine, payment.id, officer_id, reason="another amount")
    assert take(engine, booked(payment, "99")) == {"amount_mismatch": 1}
    money = Money(Decimal(99), "USD")
    with engine.transaction():
        put_aside(engine, payment.id, officer_id, money, reason="another amount")
    assert take(engine) == {"matched": 1}
    with engine.transaction():
        [settled] = settle(engine, Provider.CARDS, TODAY)
    assert settled.net == 99
    assert held(engine, "clearing_cards") == 0
    told = tell(engine, news(payment, "charge.succeeded"))
    assert (told.kind, wallet(engine, payment.user_id)) == (OutcomeKind.IGNORED, (0, 0))


def test_only_what_came_for_a_refused_deposit_goes_into_suspense_and_once(engine: Session) -> None:
    officer_id, user_id = officer(engine), settled_user(engine)
    refused = refused_deposit(engine, officer_id)
    for payment in (deposited(engine, user_id), start(engine, user_id), refused):
        money = Money(Decimal(100), "USD")
        with pytest.raises(TradewrightError) as caught, engine.transaction():
            put_aside(engine, payment.id, officer_id, money, reason="x")
        assert refusal(caught) == ErrorCode.PAYMENT_SUSPENSE_REFUSED
    assert held(engine, "suspense") == 100


def test_a_deposit_whose_money_is_in_suspense_is_never_credited(engine: Session) -> None:
    payment = refused_deposit(engine, officer(engine))
    with pytest.raises(psycopg.Error) as caught:
        engine.execute(
            "UPDATE payment_transactions SET status = 'succeeded', approved_by = %s WHERE id = %s",
            (officer(engine), payment.id),
        )
    assert refusal(caught) == ErrorCode.PAYMENT_SUSPENSE_REFUSED


def test_coins_that_a_reorganisation_takes_leave_suspense(engine: Session) -> None:
    officer_id = officer(engine)
    payment = coins(engine, settled_user(engine), 100)
    with engine.transaction():
        payments.refuse_payment(engine, payment.id, officer_id, reason="no rate")
    assert held(engine, "suspense") == Decimal("0.000001")
    tell(engine, dropped(engine, payment), provider="chain")
    assert payments.find_payment(engine, payment.id).status is PaymentStatus.REVERSED
    assert held(engine, "suspense") == 0
    [gone] = list_suspense(engine, count_max=9)
    assert (gone.reference, gone.returned_by, gone.returned_at is None) == (None, None, False)


@pytest.mark.parametrize("decision", ["approved", "refused", "none yet"])
def test_final_coins_that_a_reorganisation_takes_are_two_movements_and_settle_to_nothing(
    engine: Session, decision: str
) -> None:
    """Case 45 in the statements: as one movement, their day was never settled."""
    officer_id = officer(engine)
    payment = coins(engine, settled_user(engine), 100)
    if decision == "approved":
        observe(engine, "BTC", "100")
        with engine.transaction():
            payments.approve_payment(engine, payment.id, officer_id)
    elif decision == "refused":
        with engine.transaction():
            payments.refuse_payment(engine, payment.id, officer_id, reason="no rate")
    tell(engine, dropped(engine, payment), provider="chain")
    name = payment.reference or ""
    came = replace(booked(payment), currency="BTC", amount=payment.amount, reference=name)
    content = as_csv([came, replace(came, kind="refund")])
    with engine.transaction():
        import_statement(engine, Provider.CHAIN, content)
        counts = reconcile(engine, Provider.CHAIN, since=TODAY - timedelta(days=1))
        [settled] = settle(engine, Provider.CHAIN, TODAY)
    assert {bucket: count for bucket, count in counts.items() if count} == {"matched": 2}
    assert settled.net == 0
    assert (held(engine, "clearing_chain"), held(engine, "suspense")) == (0, 0)


def test_money_that_is_not_there_is_told(engine: Session) -> None:
    with pytest.raises(TradewrightError) as caught:
        send_back(engine, new_id_text(), officer(engine), reference="re_1", reason="x")
    assert refusal(caught) == ErrorCode.PAYMENT_SUSPENSE_UNKNOWN


def test_money_does_not_enter_suspense_without_its_transfer(engine: Session) -> None:
    payment = start(engine, settled_user(engine))
    with engine.transaction():
        payments.cancel_deposit(engine, payment.id)
    with pytest.raises(psycopg.Error) as caught:
        engine.execute(
            "INSERT INTO suspense_items (id, payment_id, currency, amount, reason, opened_by,"
            " transfer_id) VALUES (uuidv7(), %s, 'USD', 100, 'x', %s, uuidv7())",
            (payment.id, officer(engine)),
        )
    assert refusal(caught) == ErrorCode.PAYMENT_SUSPENSE_REFUSED
