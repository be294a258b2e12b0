"""Refunds, disputes and debts on a real database, and the limits and origins of payments."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.cast import open_account, open_user, value
from tests.conftest import OpenSession
from tests.db.sessions import at_once
from tests.news import deposited, news, settled_user, start, tell, wallet
from tradewright import audit, ledger, payments
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.ledger import WalletStatus, set_wallet_status
from tradewright.operations.jobs import JOBS
from tradewright.operations.model import Means
from tradewright.payments import (
    Claim,
    ClaimKind,
    ClaimOrder,
    ClaimStatus,
    Origin,
    Payment,
    PaymentKind,
    PaymentRequest,
    PaymentStatus,
    Provider,
    RateObserved,
)
from tradewright.payments.debts import collect_open_debts
from tradewright.payments.store import all_due, next_payment_due
from tradewright.payments.webhooks.inbox import retry_conflict
from tradewright.postgres.connect import Session
from tradewright.postgres.retry import same_connection


@pytest.fixture(autouse=True)
def laws_hold(engine: Session) -> Iterator[None]:
    """Hold every law after each of these tests, whatever it did."""
    yield
    audit.require_laws(audit.check_laws(engine))


def refund(
    session: Session, payment: Payment, amount: str, *, claim_id: str = "", officer_id: str = ""
) -> Claim:
    order = ClaimOrder(
        claim_id=claim_id or new_id_text(),
        kind=ClaimKind.REFUND,
        amount=Decimal(amount),
        reason="asked for",
    )
    officer_id = officer_id or open_user(session, role="payments_officer")
    with session.transaction():
        return payments.request_refund(session, order, payment_id=payment.id, officer_id=officer_id)


def refusal(call: object, *given: object, **named: object) -> ErrorCode:
    assert callable(call)
    with pytest.raises(TradewrightError) as caught:
        call(*given, **named)
    return caught.value.code


def spend(session: Session, user_id: str, amount: str) -> None:
    ledger.debit(session, user_id, "USD", Decimal(amount), transaction_id=new_id_text())


def test_a_refund_sets_its_money_aside_and_takes_it_when_the_provider_has_paid(
    engine: Session,
) -> None:
    user_id = settled_user(engine)
    payment = deposited(engine, user_id)
    claim = refund(engine, payment, "30")
    assert wallet(engine, user_id) == (70, 30)
    told = {"amount": "30", "claim": "re_1", "claim_metadata_id": claim.id}
    tell(engine, news(payment, "refund.succeeded", **told))
    assert wallet(engine, user_id) == (70, 0)
    done = payments.find_claim(engine, claim.id)
    assert (done.status, done.reference) == (ClaimStatus.SUCCEEDED, "re_1")
    tell(engine, news(payment, "refund.failed", **told))
    assert wallet(engine, user_id) == (100, 0)


def test_refunds_of_more_than_the_deposit_are_refused(engine: Session) -> None:
    """Case 42."""
    user_id = settled_user(engine, "500")
    payment = deposited(engine, user_id)
    refund(engine, payment, "60")
    assert refusal(refund, engine, payment, "40.01") == ErrorCode.PAYMENT_CLAIM_EXCEEDED
    refund(engine, payment, "40")
    assert wallet(engine, user_id) == (500, 100)


def test_the_same_refund_again_is_the_same_and_with_other_contents_a_conflict(
    engine: Session,
) -> None:
    payment, claim_id = deposited(engine, settled_user(engine)), new_id_text()
    first = refund(engine, payment, "30", claim_id=claim_id)
    assert refund(engine, payment, "30.00", claim_id=claim_id) == first
    again = refusal(refund, engine, payment, "31", claim_id=claim_id)
    assert again == ErrorCode.MONEY_IDEMPOTENCY_CONFLICT


def test_a_refund_needs_an_officer_the_money_and_a_deposit_that_succeeded(
    engine: Session,
) -> None:
    user_id = settled_user(engine)
    payment, pending = deposited(engine, user_id), start(engine, user_id)
    nobody = refusal(refund, engine, payment, "1", officer_id=open_user(engine))
    assert nobody == ErrorCode.USER_ROLE_MISSING
    assert refusal(refund, engine, pending, "1") == ErrorCode.PAYMENT_CLAIM_EXCEEDED
    spend(engine, user_id, "90")
    assert refusal(refund, engine, payment, "11") == ErrorCode.MONEY_INSUFFICIENT_FUNDS
    assert refusal(payments.find_claim, engine, new_id_text()) == ErrorCode.PAYMENT_CLAIM_UNKNOWN


@pytest.mark.parametrize(
    ("end", "available"), [("dispute.won", 100), ("dispute.lost", 0)], ids=["won", "lost"]
)
def test_a_dispute_holds_the_money_until_it_is_decided(
    engine: Session, end: str, available: int
) -> None:
    user_id = settled_user(engine)
    payment = deposited(engine, user_id)
    tell(engine, news(payment, "dispute.opened"))
    assert wallet(engine, user_id) == (0, 100)
    tell(engine, news(payment, end))
    assert wallet(engine, user_id) == (available, 0)


def test_a_dispute_after_the_money_was_withdrawn_is_owed_and_freezes_withdrawals(
    engine: Session,
) -> None:
    """Case 41."""
    user_id = settled_user(engine, "30")
    payment = deposited(engine, user_id)
    spend(engine, user_id, "120")
    tell(engine, news(payment, "dispute.opened"))
    assert wallet(engine, user_id) == (0, 100)
    assert payments.read_debts(engine, user_id) == {"USD": 90}
    ledger.credit(engine, user_id, "EUR", Decimal(5), transaction_id=new_id_text())
    frozen = replace(withdrawal_of(user_id), currency="EUR", amount=Decimal(1))
    assert refusal(payments.start_payment, engine, frozen) == ErrorCode.PAYMENT_DEBT_OPEN
    tell(engine, news(payment, "dispute.lost"))
    assert payments.read_debts(engine, user_id) == {"USD": 90}
    deposited(engine, user_id, "50")
    assert payments.read_debts(engine, user_id) == {"USD": 40}
    assert wallet(engine, user_id) == (0, 0)
    deposited(engine, user_id, "45")
    assert (payments.read_debts(engine, user_id), wallet(engine, user_id)) == ({}, (5, 0))


def test_a_dispute_that_is_won_pays_the_debt_that_it_made(engine: Session) -> None:
    user_id = settled_user(engine)
    payment = deposited(engine, user_id)
    spend(engine, user_id, "100")
    tell(engine, news(payment, "dispute.opened"))
    tell(engine, news(payment, "dispute.won"))
    assert (payments.read_debts(engine, user_id), wallet(engine, user_id)) == ({}, (0, 0))


def set_status(session: Session, user_id: str, status: WalletStatus) -> None:
    set_wallet_status(
        session, (user_id, "USD"), status, reason="asked", transaction_id=new_id_text()
    )


def test_money_for_a_frozen_wallet_comes_in_and_pays_its_debt_after_it(engine: Session) -> None:
    user_id = settled_user(engine)
    payment = deposited(engine, user_id)
    spend(engine, user_id, "100")
    tell(engine, news(payment, "dispute.opened"))
    set_status(engine, user_id, WalletStatus.FROZEN)
    deposited(engine, user_id, "30")
    assert (wallet(engine, user_id), payments.read_debts(engine, user_id)) == (
        (30, 100),
        {"USD": Decimal(100)},
    )
    set_status(engine, user_id, WalletStatus.ACTIVE)
    deposited(engine, user_id, "5")
    assert wallet(engine, user_id) == (0, 100)
    assert payments.read_debts(engine, user_id) == {"USD": 65}


def test_a_dispute_of_a_frozen_wallet_is_in_conflict_until_it_is_tried_again(
    engine: Session,
) -> None:
    user_id = settled_user(engine)
    payment = deposited(engine, user_id)
    set_status(engine, user_id, WalletStatus.FROZEN)
    told = tell(engine, news(payment, "dispute.opened"), event_id="evt_d")
    assert told.why.startswith("MONEY_WALLET_FROZEN")
    source = same_connection(engine)
    assert retry_conflict(source, Provider.CARDS, "evt_d") == "conflicted"
    set_status(engine, user_id, WalletStatus.ACTIVE)
    assert retry_conflict(source, Provider.CARDS, "evt_d") == "applied"
    assert wallet(engine, user_id) == (0, 100)
    again = refusal(retry_conflict, source, Provider.CARDS, "evt_d")
    assert again == ErrorCode.WEBHOOK_EVENT_UNKNOWN


def test_an_officer_does_not_pay_out_to_a_user_who_owes(engine: Session) -> None:
    user_id = settled_user(engine, "5000")
    payment = deposited(engine, user_id)
    waiting = start(engine, user_id, "2500", kind=PaymentKind.WITHDRAWAL)
    assert waiting.status is PaymentStatus.REQUIRES_APPROVAL
    spend(engine, user_id, "2600")
    tell(engine, news(payment, "dispute.opened"))
    officer_id = open_user(engine, role="payments_officer")
    code = refusal(payments.approve_payment, engine, waiting.id, officer_id)
    assert code == ErrorCode.PAYMENT_DEBT_OPEN


def withdrawal_of(user_id: str, origin: Origin = Origin()) -> PaymentRequest:  # noqa: B008
    return PaymentRequest(
        payment_id=new_id_text(),
        user_id=user_id,
        kind=PaymentKind.WITHDRAWAL,
        currency="USD",
        amount=Decimal(10),
        provider=Provider.CARDS,
        origin=origin,
    )


def findings(session: Session, payment: Payment) -> dict[str, object]:
    found: dict[str, object] = payments.read_fraud_checks(session, payment.id)[0]["findings"]
    return found


def test_devices_and_addresses_are_kept_and_judged(engine: Session) -> None:
    origin = Origin(device="fingerprint-1", ip_address="192.0.2.7")
    for number in range(5):
        user_id = settled_user(engine, "100")
        with engine.transaction():
            payment = payments.start_payment(engine, withdrawal_of(user_id, origin))
        found = findings(engine, payment)
        assert ("device_shared" in found) is (number >= 1)
        assert ("ip_address_shared" in found) is (number >= 4)
        assert found["new_device"] == {"points": 25, "minutes_on_device": "0"}
    assert found["device_shared"] == {"points": 60, "users": "5"}
    assert payment.failure_reason == "PAYMENT_FRAUD_SUSPECTED"
    assert value(engine, "SELECT count(*) FROM user_ip_addresses") == 5


def test_a_device_that_is_not_named_is_no_better_than_a_new_one(engine: Session) -> None:
    """What the client sends is the client's to leave out."""
    user_id, origin = settled_user(engine, "100"), Origin(device="d")
    for named, found in ((Origin(), False), (origin, True), (Origin(), True)):
        with engine.transaction():
            payment = payments.start_payment(engine, withdrawal_of(user_id, named))
        assert ("new_device" in findings(engine, payment)) is found


def test_a_device_seen_again_is_the_same_device(engine: Session) -> None:
    user_id, origin = settled_user(engine, "100"), Origin(device="d", ip_address="2001:db8::1")
    for _ in range(2):
        with engine.transaction():
            payments.start_payment(engine, withdrawal_of(user_id, origin))
    rows = engine.execute("SELECT first_seen_at < last_seen_at FROM user_devices").fetchall()
    assert rows == [(True,)]


@pytest.mark.parametrize(("microseconds", "counts"), [(2_000_000, True), (0, False)])
def test_a_payment_leaves_the_rolling_window_after_30_times_24_hours(
    engine: Session, microseconds: int, counts: bool
) -> None:
    """Case 35, the rolling edge: what is exactly as old no longer counts, DST or not."""
    user_id = settled_user(engine, kyc_level=1)
    engine.execute("SET timezone TO 'Europe/Berlin'")
    engine.execute(
        "INSERT INTO payment_transactions (id, user_id, kind, currency, amount, created_at)"
        " VALUES (uuidv7(), %s, 'deposit', 'USD', 9500, clock_timestamp() - interval '720 hours'"
        " + %s * interval '1 microsecond')",
        (user_id, microseconds),
    )
    if counts:
        assert refusal(start, engine, user_id, "501") == ErrorCode.PAYMENT_LIMIT_EXCEEDED
    else:
        assert start(engine, user_id, "501").status is PaymentStatus.PENDING


def rate(age: timedelta, *, of: str = "50000") -> RateObserved:
    return RateObserved(
        base="BTC",
        quote="USD",
        rate=Decimal(of),
        source="test",
        observed_at=datetime.now(UTC) - age,
    )


def test_what_a_payment_in_coins_takes_of_a_limit_is_measured_at_a_fresh_rate(
    engine: Session,
) -> None:
    user_id = settled_user(engine)
    ledger.credit(engine, user_id, "BTC", Decimal(2), transaction_id=new_id_text())
    asked = replace(withdrawal_of(user_id), currency="BTC", amount=Decimal("0.2"))
    code = refusal(payments.start_payment, engine, asked)
    assert code == ErrorCode.EXCHANGE_RATE_MISSING
    assert payments.record_rates(engine, [rate(timedelta(days=4, minutes=1))]) == 1
    code = refusal(payments.start_payment, engine, asked)
    assert code == ErrorCode.EXCHANGE_RATE_STALE
    fresh = rate(timedelta(minutes=1))
    assert payments.record_rates(engine, [fresh, fresh]) == 1
    over = replace(asked, amount=Decimal("0.20000001"))
    assert refusal(payments.start_payment, engine, over) == ErrorCode.PAYMENT_LIMIT_EXCEEDED
    with engine.transaction():
        assert payments.start_payment(engine, asked).status is PaymentStatus.REQUIRES_APPROVAL


@pytest.mark.parametrize("of", ["0", "-1", "NaN", "Infinity"])
def test_a_rate_that_is_none_is_refused(engine: Session, of: str) -> None:
    code = refusal(payments.record_rates, engine, [rate(timedelta(0), of=of)])
    assert code == ErrorCode.EXCHANGE_RATE_MALFORMED


def due(session: Session) -> list[str]:
    """Return the payments that the cards are to be asked for."""
    found, rest = [], all_due(session)
    while (payment := next_payment_due(session, Provider.CARDS, rest)) is not None:
        found.append(payment.id)
        rest = rest.behind(payment.created_at, payment.id)
    return found


def test_a_withdrawal_in_processing_is_not_handed_out_while_its_user_owes(engine: Session) -> None:
    """Case 41: what was let through before the debt waits, and goes once it is paid."""
    user_id, other_id = settled_user(engine, "500"), settled_user(engine, "500")
    waits = start(engine, user_id, "400", kind=PaymentKind.WITHDRAWAL)
    goes = start(engine, other_id, "400", kind=PaymentKind.WITHDRAWAL)
    assert {waits.status, goes.status} == {PaymentStatus.PROCESSING}
    payment = deposited(engine, user_id)
    spend(engine, user_id, "150")
    tell(engine, news(payment, "dispute.opened"))
    assert payments.read_debts(engine, user_id) == {"USD": 50}
    comes = start(engine, user_id, "50")
    assert sorted(due(engine)) == sorted([goes.id, comes.id])
    tell(engine, news(comes, "charge.succeeded"))
    assert payments.read_debts(engine, user_id) == {}
    assert sorted(due(engine)) == sorted([goes.id, waits.id])


def test_the_house_pays_nothing_out_by_itself_to_who_owes(engine: Session) -> None:
    """Case 41, without a provider; what a provider has paid is a fact and is booked."""
    user_id = settled_user(engine, "500")
    direct = start(engine, user_id, "200", kind=PaymentKind.WITHDRAWAL, provider=Provider.DIRECT)
    by_card = start(engine, user_id, "200", kind=PaymentKind.WITHDRAWAL)
    assert {direct.status, by_card.status} == {PaymentStatus.PROCESSING}
    payment = deposited(engine, user_id)
    spend(engine, user_id, "200")
    tell(engine, news(payment, "dispute.opened"))
    code = refusal(payments.complete_withdrawal, engine, direct.id)
    assert code == ErrorCode.PAYMENT_DEBT_OPEN
    tell(engine, news(by_card, "payout.paid"))
    assert payments.find_payment(engine, by_card.id).status is PaymentStatus.SUCCEEDED


def owing_user(session: Session) -> str:
    """Open a user who owes 100, with 100 in a trading account."""
    user_id = settled_user(session)
    account_id, payment = open_account(session, user_id), deposited(session, user_id)
    ledger.transfer_to_account(session, account_id, Decimal(100), transaction_id=new_id_text())
    tell(session, news(payment, "dispute.opened"))
    tell(session, news(payment, "dispute.lost"))
    assert payments.read_debts(session, user_id) == {"USD": 100}
    ledger.transfer_to_wallet(session, account_id, Decimal(100), transaction_id=new_id_text())
    return user_id


def test_money_from_a_trading_account_pays_the_debt_when_the_job_runs(engine: Session) -> None:
    user_id, frozen_id = owing_user(engine), owing_user(engine)
    set_status(engine, frozen_id, WalletStatus.FROZEN)
    assert JOBS["collect_debts"].work(Means(source=same_connection(engine))) == 1
    assert (payments.read_debts(engine, user_id), wallet(engine, user_id)) == ({}, (0, 0))
    assert payments.read_debts(engine, frozen_id) == {"USD": 100}
    set_status(engine, frozen_id, WalletStatus.ACTIVE)
    assert collect_open_debts(same_connection(engine)) == 1
    assert collect_open_debts(same_connection(engine)) == 0
    assert payments.read_debts(engine, frozen_id) == {}


def test_debts_that_four_runs_collect_at_once_are_paid_once(
    engine: Session, open_session: OpenSession
) -> None:
    users = [owing_user(engine) for _ in range(3)]
    for user_id in users:
        ledger.credit(engine, user_id, "USD", Decimal(7), transaction_id=new_id_text())

    def collect(session: Session) -> int:
        return collect_open_debts(same_connection(session))

    assert sum(int(str(each)) for each in at_once(open_session, [collect] * 4)) == len(users)
    assert {wallet(engine, user_id) for user_id in users} == {(7, 0)}
