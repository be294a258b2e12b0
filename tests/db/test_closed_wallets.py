"""What comes to a wallet that was closed: an officer looks, and nothing is lost from sight."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from tests.cast import open_user, value
from tests.conftest import OpenSession
from tests.news import news, settled_user, start, tell, wallet
from tradewright import audit, ledger, payments
from tradewright.core.clock import pause
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.ledger import WalletStatus, set_wallet_status
from tradewright.payments import Payment, PaymentKind, PaymentStatus, Provider
from tradewright.payments.store import assign_address
from tradewright.payments.webhooks.outcome import OutcomeKind
from tradewright.postgres.connect import Session


@pytest.fixture(autouse=True)
def laws_hold(engine: Session) -> Iterator[None]:
    """Hold every law after each of these tests, whatever it did."""
    yield
    audit.require_laws(audit.check_laws(engine))


def close(session: Session, user_id: str, currency: str = "USD") -> None:
    set_wallet_status(
        session,
        (user_id, currency),
        WalletStatus.CLOSED,
        reason="asked",
        transaction_id=new_id_text(),
    )


def is_only_refused(session: Session, payment_id: str) -> bool:
    """Have an officer try to approve a payment, and then refuse it."""
    officer_id = open_user(session, role="payments_officer")
    with pytest.raises(TradewrightError) as caught, session.transaction():
        payments.approve_payment(session, payment_id, officer_id)
    assert caught.value.code == ErrorCode.MONEY_WALLET_CLOSED
    with session.transaction():
        refused = payments.refuse_payment(session, payment_id, officer_id, reason="closed")
    return refused.status is PaymentStatus.FAILED


def findings(session: Session, payment_id: str) -> dict[str, object]:
    found: dict[str, object] = payments.read_fraud_checks(session, payment_id)[-1]["findings"]
    return found


def test_a_deposit_that_comes_after_its_wallet_was_closed_goes_to_an_officer(
    engine: Session,
) -> None:
    user_id = settled_user(engine)
    payment = start(engine, user_id)
    tell(engine, news(payment, "charge.failed"))
    close(engine, user_id)
    assert tell(engine, news(payment, "charge.succeeded")).kind is OutcomeKind.APPLIED
    waits = payments.find_payment(engine, payment.id)
    assert waits.status is PaymentStatus.REQUIRES_APPROVAL
    assert "wallet_closed" in findings(engine, payment.id)
    assert is_only_refused(engine, payment.id)
    assert wallet(engine, user_id) == (0, 0)


def test_coins_for_a_closed_wallet_go_to_an_officer(engine: Session) -> None:
    user_id = settled_user(engine)
    ledger.credit(engine, user_id, "BTC", Decimal(1), transaction_id=new_id_text())
    ledger.debit(engine, user_id, "BTC", Decimal(1), transaction_id=new_id_text())
    assign_address(engine, Provider.CHAIN, "bc1x", user_id=user_id, currency="BTC")
    close(engine, user_id, "BTC")
    seen = {"type": "transfer.seen", "chain": "btc", "txid": "ab", "output": 0, "round": 0}
    for confirmations in (1, 3, 4):
        told = seen | {"address": "bc1x", "value": "100", "confirmations": confirmations}
        tell(engine, json.dumps(told).encode(), provider="chain")
    (waits,) = payments.list_payments(engine, user_id=user_id)
    assert waits.status is PaymentStatus.REQUIRES_APPROVAL
    assert is_only_refused(engine, waits.id)


def test_a_withdrawal_that_comes_back_to_a_closed_wallet_calls_an_officer(engine: Session) -> None:
    user_id = settled_user(engine, "70")
    payment: Payment = start(engine, user_id, "70", kind=PaymentKind.WITHDRAWAL)
    tell(engine, news(payment, "payout.paid"))
    close(engine, user_id)
    told = tell(engine, news(payment, "payout.failed"))
    assert told.kind is OutcomeKind.CONFLICTED
    assert told.why.startswith("MONEY_WALLET_CLOSED")
    assert payments.find_payment(engine, payment.id).status is PaymentStatus.SUCCEEDED
    assert wallet(engine, user_id) == (0, 0)


@pytest.mark.parametrize("kind", PaymentKind)
def test_a_payment_of_a_wallet_that_is_closed_at_the_same_moment_is_refused(
    engine: Session, open_session: OpenSession, kind: PaymentKind
) -> None:
    user_id, beginning = settled_user(engine), open_session()
    engine.execute("SELECT lock_wallet(%s, 'USD', true)", (user_id,))
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = %s"
    with ThreadPoolExecutor() as pool:
        with engine.transaction():
            close(engine, user_id)
            begun = pool.submit(start, beginning, user_id, "5", kind=kind)
            while not value(engine, waits, beginning.info.backend_pid):
                pause(0.01)
        with pytest.raises(TradewrightError) as caught:
            begun.result()
    assert caught.value.code == ErrorCode.MONEY_WALLET_CLOSED
    assert payments.list_payments(engine, user_id=user_id, count_max=9) == []
