"""What whoever writes past the services meets at payments: their terms, officers and beginnings.

Every attempt is raw SQL of the owner of the tables, with all triggers on.
"""

from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest

from tests.cast import open_user
from tests.news import deposited, news, settled_user, start, tell
from tradewright import audit, ledger, payments
from tradewright.core.errors import ErrorCode, StateError
from tradewright.core.ids import new_id_text
from tradewright.payments import ClaimKind, ClaimOrder, Payment, PaymentKind, PaymentStatus
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


def test_what_waits_for_an_officer_is_not_credited_by_whoever_writes(engine: Session) -> None:
    payment = waiting_deposit(engine)
    credited = "UPDATE payment_transactions SET status = 'succeeded', completed_at = now()"
    assert refused(engine, f"{credited} WHERE id = '{payment.id}'") == "TW042"


def test_what_an_officer_has_refused_is_not_credited_by_whoever_writes(engine: Session) -> None:
    payment = refused_deposit(engine)
    where = f" WHERE id = '{payment.id}'"
    again = "UPDATE payment_transactions SET status = 'succeeded'"
    assert refused(engine, again + where) == "TW084"  # its money is in suspense
    forgotten = "UPDATE payment_transactions SET arrived_at = NULL"
    assert refused(engine, forgotten + where) == "TW010"


@pytest.mark.parametrize("status", sorted(set(PaymentStatus) - {PaymentStatus.PENDING}))
def test_a_payment_begins_pending(engine: Session, status: str) -> None:
    statement = (
        "INSERT INTO payment_transactions (id, user_id, kind, currency, amount, status, arrived_at,"
        f" completed_at) VALUES (uuidv7(), '{open_user(engine)}', 'deposit', 'USD', 5, '{status}',"
        " now(), now())"
    )
    assert refused(engine, statement) == "TW014"


@pytest.mark.parametrize(("kind", "status"), [("refund", "succeeded"), ("dispute", "lost")])
def test_a_claim_is_not_born_with_money_taken(engine: Session, kind: str, status: str) -> None:
    payment = deposited(engine, settled_user(engine))
    statement = (
        "INSERT INTO payment_claims (id, kind, payment_id, amount, reason, status, hold_id,"
        f" completed_at) VALUES (uuidv7(), '{kind}', '{payment.id}', 5, 'x', '{status}', uuidv7(),"
        " now())"
    )
    assert refused(engine, statement) == "TW014"


def stranger_hold(session: Session) -> str:
    """Set 100 aside in somebody's wallet, for nothing in particular."""
    user_id = settled_user(session, "300")
    key = new_id_text()
    reply = ledger.reserve(
        session, user_id, "USD", Decimal(100), transaction_id=key, purpose="refund"
    )
    return str(reply.hold_id)


def test_payments_and_claims_hold_only_what_they_have_set_aside(engine: Session) -> None:
    hold_id = stranger_hold(engine)
    payment = deposited(engine, settled_user(engine, "500"))
    claim = (
        "INSERT INTO payment_claims (id, kind, payment_id, amount, reason, status, hold_id)"
        f" VALUES (uuidv7(), 'refund', '{payment.id}', 100, 'x', 'pending', '{hold_id}')"
    )
    assert refused(engine, claim) == "TW013"
    withdrawal = (
        "INSERT INTO payment_transactions (id, user_id, kind, currency, amount, counted_rate,"
        f" counted_amount, hold_id) VALUES (uuidv7(), '{payment.user_id}', 'withdrawal', 'USD',"
        f" 100, 1, 100, '{hold_id}')"
    )
    assert refused(engine, withdrawal) == "TW013"
    waits = waiting_withdrawal(engine)
    changed = f"UPDATE payment_transactions SET hold_id = '{hold_id}' WHERE id = '{waits.id}'"
    assert refused(engine, changed) == "TW013"


def test_a_deposit_does_not_succeed_without_its_money(engine: Session) -> None:
    payment = start(engine, settled_user(engine))
    statement = (
        "UPDATE payment_transactions SET status = 'succeeded', reference = 'ch_1',"
        " arrived_at = clock_timestamp(), completed_at = clock_timestamp()"
    )
    assert refused(engine, f"{statement} WHERE id = '{payment.id}'") == "TW013"
    assert payments.find_payment(engine, payment.id).status is PaymentStatus.PENDING


def test_a_withdrawal_does_not_end_while_its_money_is_held(engine: Session) -> None:
    payment = start(engine, settled_user(engine, "50"), "40", kind=PaymentKind.WITHDRAWAL)
    assert payment.status is PaymentStatus.PROCESSING
    for status in ("succeeded", "failed"):
        statement = f"UPDATE payment_transactions SET status = '{status}', completed_at = now()"
        assert refused(engine, f"{statement} WHERE id = '{payment.id}'") == "TW013"


def test_what_a_withdrawal_has_set_aside_is_not_set_free_beside_it(engine: Session) -> None:
    payment = start(engine, settled_user(engine, "50"), "40", kind=PaymentKind.WITHDRAWAL)
    for part in ("NULL", "1"):
        release = f"SELECT release_user_balance('{payment.hold_id}', '{new_id_text()}', {part})"
        assert refused(engine, release) == "TW013"
    capture = f"SELECT debit_reserved_balance('{payment.hold_id}', '{new_id_text()}')"
    assert refused(engine, capture) == "TW013"
    assert payments.find_payment(engine, payment.id).status is PaymentStatus.PROCESSING
    free = stranger_hold(engine)
    ledger.release(engine, free, transaction_id=new_id_text())


def test_a_pending_payment_does_not_begin_with_a_hold(engine: Session) -> None:
    user_id, key = settled_user(engine, "50"), new_id_text()
    begun = (
        "WITH held AS ("
        f"SELECT * FROM reserve_user_balance('{user_id}', 'USD', 5, '{key}', 'withdrawal'))"
        " INSERT INTO payment_transactions (id, user_id, kind, currency, amount, counted_rate,"
        f" counted_amount, hold_id) SELECT '{key}', '{user_id}', 'withdrawal', 'USD', 5, 1, 5,"
        " hold_id FROM held"
    )
    assert refused(engine, begun) == "TW013"


def test_a_refund_does_not_begin_or_end_without_its_money(engine: Session) -> None:
    payment = deposited(engine, settled_user(engine))
    claim_id, money = new_id_text(), (payment.user_id, "USD", Decimal(5))
    held = ledger.reserve(engine, *money, transaction_id=claim_id, purpose="dispute")
    ledger.release(engine, str(held.hold_id), transaction_id=new_id_text())
    columns = "(id, payment_id, kind, amount, status, reason, hold_id)"
    unheld = f"INSERT INTO payment_claims {columns} VALUES ('{claim_id}', '{payment.id}',"
    assert refused(engine, f"{unheld} 'dispute', 5, 'opened', 'x', '{held.hold_id}')") == "TW013"
    officer_id = open_user(engine, role="payments_officer")
    order = ClaimOrder(
        claim_id=new_id_text(), kind=ClaimKind.REFUND, amount=Decimal(5), reason="asked for"
    )
    with engine.transaction():
        payments.request_refund(engine, order, payment_id=payment.id, officer_id=officer_id)
    ended = "UPDATE payment_claims SET status = 'succeeded', completed_at = now()"
    assert refused(engine, f"{ended}, reference = 're_1'") == "TW013"
