"""What whoever writes past the services meets at payments: their terms, officers and beginnings.

Every attempt is raw SQL of the owner of the tables, with all triggers on.
"""

from collections.abc import Iterator

import psycopg
import pytest

from tests.cast import open_user
from tests.news import news, settled_user, start, tell
from tradewright import audit, payments
from tradewright.core.errors import ErrorCode, StateError
from tradewright.payments import Payment, PaymentKind, PaymentStatus
from tradewright.postgres.connect import Session
from tradewright.postgres.refusals import translate


@pytest.fixture(autouse=True)
def laws_hold(engine: Session) -> Iterator[None]:
    """Hold every law after each of these tests, whatever it did."""
    yield
    audit.require_laws(audit.check_laws(engine))


def refused(session: Session, statement: str) -> str:
    """Run a statement that must be refused; return the SQLSTATE."""
    with pytest.raises(psycopg.Error) as caught:
        session.execute(statement.encode())
    return str(caught.value.sqlstate)


def waiting_withdrawal(session: Session) -> Payment:
    payment = start(session, settled_user(session, "5000"), "4000", kind=PaymentKind.WITHDRAWAL)
    assert payment.status is PaymentStatus.REQUIRES_APPROVAL
    return payment


def waiting_deposit(session: Session) -> Payment:
    """Take a deposit that came although the house had canceled it."""
    payment = start(session, settled_user(session))
    with session.transaction():
        payments.cancel_deposit(session, payment.id)
    tell(session, news(payment, "charge.succeeded"))
    return payments.find_payment(session, payment.id)


def test_a_withdrawal_keeps_its_destination(engine: Session) -> None:
    payment = waiting_withdrawal(engine)
    elsewhere = f"UPDATE payment_transactions SET destination = 'X' WHERE id = '{payment.id}'"
    assert refused(engine, elsewhere) == "TW010"


@pytest.mark.parametrize("approver", ["NULL", "'{nobody}'"], ids=["nobody", "no officer"])
@pytest.mark.parametrize(
    ("wait", "step"),
    [
        (waiting_withdrawal, "status = 'processing'"),
        (waiting_deposit, "status = 'succeeded', completed_at = clock_timestamp()"),
    ],
    ids=["withdrawal", "deposit"],
)
def test_what_waits_for_an_officer_does_not_go_on_without_one(
    engine: Session, wait: object, step: str, approver: str
) -> None:
    assert callable(wait)
    payment = wait(engine)
    named = approver.format(nobody=open_user(engine, role="trader"))
    statement = f"UPDATE payment_transactions SET {step}, approved_by = {named} WHERE id = '{{}}'"
    with pytest.raises(psycopg.Error) as caught:
        engine.execute(statement.format(payment.id).encode())
    refusal = translate(caught.value)
    assert (type(refusal), refusal.code) == (StateError, ErrorCode.PAYMENT_APPROVAL_REFUSED)


def refused_deposit(session: Session) -> Payment:
    """Take a deposit that an officer has refused after its money had come."""
    payment, officer_id = waiting_deposit(session), open_user(session, role="payments_officer")
    with session.transaction():
        return payments.refuse_payment(session, payment.id, officer_id, reason="no proof of funds")


def test_what_an_officer_has_refused_is_not_credited_by_whoever_writes(engine: Session) -> None:
    payment = refused_deposit(engine)
    where = f" WHERE id = '{payment.id}'"
    again = "UPDATE payment_transactions SET status = 'succeeded'"
    assert refused(engine, again + where) == "TW042"
    forgotten = "UPDATE payment_transactions SET arrived_at = NULL"
    assert refused(engine, forgotten + where) == "TW010"
