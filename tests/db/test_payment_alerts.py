"""What waits for people in payments and jobs is told by the row itself, and over with it."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.cast import open_user, value
from tests.news import deposited, news, settled_user, start, tell
from tradewright import audit, ledger, payments
from tradewright.core.ids import new_id_text
from tradewright.ledger import WalletStatus, set_wallet_status
from tradewright.operations import Means, run_due
from tradewright.payments import PaymentKind, Provider
from tradewright.payments.webhooks.inbox import retry_conflict
from tradewright.payments.webhooks.outcome import OutcomeKind
from tradewright.postgres.connect import Session
from tradewright.postgres.retry import same_connection
from tradewright.risk.alerts import Alert, acknowledge, read_alerts


@pytest.fixture(autouse=True)
def laws_hold(engine: Session) -> Iterator[None]:
    """Hold every law after each of these tests, whatever it did."""
    yield
    audit.require_laws(audit.check_laws(engine))


def waiting(session: Session) -> dict[str, str]:
    """Return what waits for somebody, by its kind."""
    alerts = read_alerts(session, count_max=50)
    assert len({alert.kind for alert in alerts}) == len(alerts)
    return {alert.kind: alert.what for alert in alerts}


def everything(session: Session) -> list[Alert]:
    return read_alerts(session, count_max=50, with_acknowledged=True)


def test_a_payment_in_conflict_is_told_until_an_officer_has_ended_it(engine: Session) -> None:
    user_id = settled_user(engine, "500")
    payment = start(engine, user_id, "50", kind=PaymentKind.WITHDRAWAL)
    tell(engine, news(payment, "payout.paid", amount="49"))
    told = waiting(engine)
    assert set(told) == {"payment_conflicted"}
    assert f"withdrawal {payment.id} of 50 USD" in told["payment_conflicted"]
    assert "49" in told["payment_conflicted"]
    officer = open_user(engine, role="payments_officer")
    with engine.transaction():
        payments.refuse_payment(engine, payment.id, officer, reason="not paid")
    assert waiting(engine) == {}
    assert [alert.resolved_at is not None for alert in everything(engine)] == [True]


def freeze(session: Session, user_id: str, status: WalletStatus) -> None:
    set_wallet_status(
        session, (user_id, "USD"), status, reason="asked", transaction_id=new_id_text()
    )


def test_a_message_in_conflict_is_told_once_however_often_it_is_tried(engine: Session) -> None:
    user_id = settled_user(engine)
    payment = deposited(engine, user_id)
    freeze(engine, user_id, WalletStatus.FROZEN)
    outcome = tell(engine, news(payment, "dispute.opened"), event_id="evt_1")
    assert outcome.kind is OutcomeKind.CONFLICTED
    assert "evt_1" in waiting(engine)["message_conflicted"]
    source = same_connection(engine)
    assert retry_conflict(source, Provider.CARDS, "evt_1") == OutcomeKind.CONFLICTED
    assert len(everything(engine)) == 1
    freeze(engine, user_id, WalletStatus.ACTIVE)
    assert retry_conflict(source, Provider.CARDS, "evt_1") == OutcomeKind.APPLIED
    assert waiting(engine) == {}


def test_what_somebody_has_seen_is_over_too_when_it_is(engine: Session) -> None:
    user_id = settled_user(engine)
    payment = deposited(engine, user_id)
    freeze(engine, user_id, WalletStatus.FROZEN)
    tell(engine, news(payment, "dispute.opened"), event_id="evt_1")
    acknowledge(engine, [alert.id for alert in everything(engine)], actor="anna")
    freeze(engine, user_id, WalletStatus.ACTIVE)
    retry_conflict(same_connection(engine), Provider.CARDS, "evt_1")
    (alert,) = everything(engine)
    assert (alert.acknowledged_by, alert.resolved_at is not None) == ("anna", True)


def test_a_client_who_owes_is_told_until_the_debt_is_paid(engine: Session) -> None:
    user_id = settled_user(engine)
    payment = deposited(engine, user_id)
    ledger.debit(engine, user_id, "USD", Decimal(80), transaction_id=new_id_text())
    tell(engine, news(payment, "dispute.opened"))
    assert f"user {user_id} owes 80 USD" in waiting(engine)["client_owes"]
    deposited(engine, user_id, "30")
    assert set(waiting(engine)) == {"client_owes"}
    deposited(engine, user_id, "50")
    assert waiting(engine) == {}


def run_retries(session: Session) -> None:
    session.execute(
        "UPDATE jobs SET is_enabled = name = 'retry_webhooks', next_due_at = clock_timestamp()"
    )
    run_due(Means(source=same_connection(session)))


def test_a_message_that_waits_for_an_hour_is_told_once_and_over_when_it_is_booked(
    engine: Session,
) -> None:
    user_id = settled_user(engine)
    payment = start(engine, user_id)
    tell(engine, news(payment, "refund.succeeded"), event_id="evt_early")
    run_retries(engine)
    assert waiting(engine) == {}
    engine.execute("UPDATE webhook_events SET received_at = received_at - interval '61 minutes'")
    run_retries(engine)
    assert "evt_early" in waiting(engine)["message_waiting"]
    acknowledge(engine, [alert.id for alert in everything(engine)], actor="anna")
    run_retries(engine)
    assert len(everything(engine)) == 1
    tell(engine, news(payment, "charge.succeeded"))
    assert [alert.resolved_at is not None for alert in everything(engine)] == [True]


def test_a_job_that_fails_three_times_in_a_row_is_told_until_it_succeeds(engine: Session) -> None:
    def count_failures(count: int) -> None:
        engine.execute("UPDATE jobs SET failure_count = %s WHERE name = 'seal_ledger'", (count,))

    for count in (1, 2):
        count_failures(count)
        assert waiting(engine) == {}
    for count in (3, 4):
        count_failures(count)
        assert "seal_ledger" in waiting(engine)["job_failing"]
    assert value(engine, "SELECT count(*) FROM alerts") == 1
    count_failures(0)
    assert waiting(engine) == {}
