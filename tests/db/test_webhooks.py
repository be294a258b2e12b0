"""The inbox on a real database: each message once, in any order, and never past the rules."""

from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from random import Random

import pytest

from tests.cast import open_user, value
from tests.conftest import OpenSession
from tests.db.sessions import at_once
from tests.news import deposited, news, settled_user, start, tell, wallet
from tradewright import audit, payments
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.payments import PaymentKind, PaymentStatus, Provider
from tradewright.payments.model import Payment
from tradewright.payments.rules import RANKS, is_news
from tradewright.payments.webhooks.inbox import Message, retry_waiting
from tradewright.payments.webhooks.outcome import OutcomeKind
from tradewright.payments.webhooks.receiver import take
from tradewright.postgres.connect import Session
from tradewright.postgres.retry import same_connection


@pytest.fixture(autouse=True)
def laws_hold(engine: Session) -> Iterator[None]:
    """Hold every law after each of these tests, whatever it did."""
    yield
    audit.require_laws(audit.check_laws(engine))


def status(session: Session, payment: Payment) -> PaymentStatus:
    return payments.find_payment(session, payment.id).status


def test_a_deposit_is_credited_when_its_provider_says_so(engine: Session) -> None:
    user_id = settled_user(engine)
    payment = start(engine, user_id)
    assert (payment.status, wallet(engine, user_id)) == (PaymentStatus.PENDING, (0, 0))
    assert tell(engine, news(payment, "charge.processing")).kind is OutcomeKind.APPLIED
    assert status(engine, payment) is PaymentStatus.PROCESSING
    tell(engine, news(payment, "charge.succeeded"))
    done = payments.find_payment(engine, payment.id)
    assert (done.status, done.reference) == (PaymentStatus.SUCCEEDED, f"ch_{payment.id}")
    assert wallet(engine, user_id) == (100, 0)


def test_the_same_event_ten_times_from_two_workers_credits_once(
    engine: Session, open_session: OpenSession
) -> None:
    """Case 36."""
    user_id = settled_user(engine)
    payment = start(engine, user_id)
    body = news(payment, "charge.succeeded")

    def five_times(session: Session) -> list[OutcomeKind]:
        return [tell(session, body, event_id="evt_same").kind for _ in range(5)]

    told = at_once(open_session, [five_times] * 2)
    kinds = [kind for each in told if isinstance(each, list) for kind in each]
    assert sorted(kinds) == [OutcomeKind.APPLIED] + [OutcomeKind.IGNORED] * 9
    assert wallet(engine, user_id) == (100, 0)
    assert value(engine, "SELECT count(*) FROM webhook_events") == 1


def test_four_workers_with_the_news_of_one_user_in_any_order_end_alike(
    engine: Session, open_session: OpenSession
) -> None:
    """Cases 36 and 37 together: every message twice, from four sessions, on one wallet."""
    user_id = settled_user(engine, "1000")
    incoming = [start(engine, user_id) for _ in range(3)]
    outgoing = start(engine, user_id, "50", kind=PaymentKind.WITHDRAWAL)
    deposit = ("charge.processing", "charge.succeeded", "refund.succeeded")
    lives = dict.fromkeys(incoming, deposit)
    lives[outgoing] = ("payout.processing", "payout.paid", "payout.failed")
    told = [
        Message(Provider.CARDS, f"{payment.id} {event_type}", news(payment, event_type))
        for payment, life in lives.items()
        for event_type in life
    ] * 2
    Random(7).shuffle(told)  # noqa: S311 (an order, no secret)

    def work(session: Session, *, share: int) -> None:
        for message in told[share::4]:
            take(same_connection(session), message)

    assert at_once(open_session, [partial(work, share=share) for share in range(4)]) == [None] * 4
    assert value(engine, "SELECT count(*) FROM webhook_events WHERE status = 'waiting'") == 0
    assert {status(engine, payment) for payment in incoming} == {PaymentStatus.SUCCEEDED}
    assert status(engine, outgoing) is PaymentStatus.FAILED
    assert wallet(engine, user_id) == (1000, 0)


def test_an_event_id_with_another_body_is_a_conflict(engine: Session) -> None:
    payment = start(engine, settled_user(engine))
    tell(engine, news(payment, "charge.processing"), event_id="evt_1")
    with pytest.raises(TradewrightError) as caught:
        tell(engine, news(payment, "charge.succeeded"), event_id="evt_1")
    assert caught.value.code == ErrorCode.MONEY_IDEMPOTENCY_CONFLICT
    assert status(engine, payment) is PaymentStatus.PROCESSING


def test_a_name_that_another_payment_has_is_a_conflict(engine: Session) -> None:
    user_id = settled_user(engine)
    first, second = start(engine, user_id), start(engine, user_id)
    tell(engine, news(first, "charge.processing"))
    outcome = tell(engine, news(second, "charge.succeeded", payment=f"ch_{first.id}"))
    assert outcome.kind is OutcomeKind.CONFLICTED
    assert outcome.why.startswith("MONEY_IDEMPOTENCY_CONFLICT")
    assert wallet(engine, user_id) == (0, 0)


def test_two_officers_at_once_credit_once(engine: Session, open_session: OpenSession) -> None:
    user_id = settled_user(engine)
    payment = start(engine, user_id)
    with engine.transaction():
        payments.cancel_deposit(engine, payment.id)
    tell(engine, news(payment, "charge.succeeded"))
    officers = [open_user(engine, role="payments_officer") for _ in range(2)]

    def decide(session: Session, officer_id: str) -> Payment:
        with session.transaction():
            return payments.approve_payment(session, payment.id, officer_id)

    works = [partial(decide, officer_id=officer_id) for officer_id in officers]
    refused = [each for each in at_once(open_session, works) if isinstance(each, TradewrightError)]
    assert [error.code for error in refused] == [ErrorCode.PAYMENT_STATE_REFUSED]
    assert wallet(engine, user_id) == (100, 0)


@pytest.mark.parametrize(
    "changes", [{"amount": "100.01"}, {"amount": "99"}, {"currency": "EUR"}, {"amount": "0"}]
)
def test_another_amount_or_currency_credits_nothing_and_calls_an_officer(
    engine: Session, changes: dict[str, str]
) -> None:
    """Case 38."""
    user_id = settled_user(engine)
    payment = start(engine, user_id)
    outcome = tell(engine, news(payment, "charge.succeeded", **changes))
    assert outcome.kind is OutcomeKind.CONFLICTED
    assert status(engine, payment) is PaymentStatus.CONFLICTED
    assert wallet(engine, user_id) == (0, 0)
    officer_id = open_user(engine, role="payments_officer")
    with engine.transaction():
        payments.refuse_payment(engine, payment.id, officer_id, reason="sent back by hand")
    assert status(engine, payment) is PaymentStatus.FAILED


@pytest.mark.parametrize("was_paid", [True, False])
def test_an_officer_ends_a_withdrawal_in_conflict_either_way(
    engine: Session, was_paid: bool
) -> None:
    """Case 38, for withdrawals: paid as it was asked for, or given back, by another's word."""
    user_id, officer_id = settled_user(engine, "500"), open_user(engine, role="payments_officer")
    payment = start(engine, user_id, "70", kind=PaymentKind.WITHDRAWAL)
    outcome = tell(engine, news(payment, "payout.paid", amount="69"))
    assert outcome.kind is OutcomeKind.CONFLICTED
    assert status(engine, payment) is PaymentStatus.CONFLICTED
    assert wallet(engine, user_id) == (430, 70)
    with pytest.raises(TradewrightError) as caught:
        payments.approve_payment(engine, payment.id, open_user(engine))
    assert caught.value.code == ErrorCode.USER_ROLE_MISSING

    def decide(by: str) -> Payment:
        with engine.transaction():
            if was_paid:
                return payments.approve_payment(engine, payment.id, by)
            return payments.refuse_payment(engine, payment.id, by, reason="not paid")

    ended = decide(officer_id)
    told = PaymentStatus.SUCCEEDED if was_paid else PaymentStatus.FAILED
    assert (ended.status, ended.approved_by) == (told, officer_id if was_paid else None)
    assert wallet(engine, user_id) == ((430, 0) if was_paid else (500, 0))
    again = tell(engine, news(payment, "payout.paid"))
    assert again.kind is (OutcomeKind.IGNORED if was_paid else OutcomeKind.CONFLICTED)
    with pytest.raises(TradewrightError) as caught:
        decide(open_user(engine, role="payments_officer"))
    assert caught.value.code == ErrorCode.PAYMENT_STATE_REFUSED


def test_who_approved_a_withdrawal_may_decide_about_its_conflict(engine: Session) -> None:
    user_id, officer_id = settled_user(engine, "5000"), open_user(engine, role="payments_officer")
    payment = start(engine, user_id, "4000", kind=PaymentKind.WITHDRAWAL)
    with engine.transaction():
        payments.approve_payment(engine, payment.id, officer_id)
    tell(engine, news(payment, "payout.paid", amount="3999"))
    with engine.transaction():
        ended = payments.approve_payment(engine, payment.id, officer_id)
    assert ended.status is PaymentStatus.SUCCEEDED
    assert wallet(engine, user_id) == (1000, 0)


def test_success_after_our_cancel_is_not_lost_and_not_credited_unseen(engine: Session) -> None:
    """Case 40."""
    user_id, officer_id = settled_user(engine), open_user(engine, role="payments_officer")
    payment = start(engine, user_id)
    with engine.transaction():
        payments.cancel_deposit(engine, payment.id)
    for _ in range(2):
        tell(engine, news(payment, "charge.succeeded"))
    assert status(engine, payment) is PaymentStatus.REQUIRES_APPROVAL
    assert wallet(engine, user_id) == (0, 0)
    with engine.transaction():
        payments.approve_payment(engine, payment.id, officer_id)
    assert wallet(engine, user_id) == (100, 0)


def test_success_after_the_provider_had_given_up_is_credited(engine: Session) -> None:
    user_id = settled_user(engine)
    payment = start(engine, user_id)
    tell(engine, news(payment, "charge.failed", reason="card declined"))
    assert payments.find_payment(engine, payment.id).failure_reason == "provider: card declined"
    tell(engine, news(payment, "charge.succeeded"))
    assert payments.find_payment(engine, payment.id).failure_reason is None
    assert wallet(engine, user_id) == (100, 0)


def test_a_suspicious_deposit_is_credited_by_an_officer_only(engine: Session) -> None:
    user_id = settled_user(engine)
    for _ in range(5):
        start(engine, user_id, "1")
    payment = start(engine, user_id)
    tell(engine, news(payment, "charge.succeeded"))
    assert status(engine, payment) is PaymentStatus.REQUIRES_APPROVAL
    assert wallet(engine, user_id) == (0, 0)
    with pytest.raises(TradewrightError) as caught:
        payments.approve_payment(engine, payment.id, open_user(engine))
    assert caught.value.code == ErrorCode.USER_ROLE_MISSING


def test_a_refund_that_comes_before_the_success_waits_for_it(engine: Session) -> None:
    user_id = settled_user(engine)
    payment = start(engine, user_id)
    refund = news(payment, "refund.succeeded", amount="30.00")
    assert tell(engine, refund, event_id="evt_r").kind is OutcomeKind.WAITING
    tell(engine, news(payment, "charge.succeeded"))
    assert value(engine, "SELECT status FROM webhook_events WHERE event_id = 'evt_r'") == "applied"
    assert wallet(engine, user_id) == (70, 0)


def test_news_of_a_payment_that_is_not_there_yet_wait_for_the_sweep(engine: Session) -> None:
    user_id, payment_id = settled_user(engine), new_id_text()
    early = Payment(
        *(payment_id, user_id, PaymentKind.DEPOSIT, "USD", Decimal(5), PaymentStatus.PENDING),
        *(None, None, None, None, None),  # type: ignore[arg-type]
    )
    assert tell(engine, news(early, "charge.succeeded")).kind is OutcomeKind.WAITING
    request = payments.PaymentRequest(
        payment_id=payment_id,
        user_id=user_id,
        kind=PaymentKind.DEPOSIT,
        currency="USD",
        amount=Decimal(5),
        provider=Provider.CARDS,
    )
    assert retry_waiting(same_connection(engine), Provider.CARDS) == 0
    with engine.transaction():
        payments.start_payment(engine, request)
    assert retry_waiting(same_connection(engine), Provider.CARDS) == 1
    assert wallet(engine, user_id) == (5, 0)


def test_a_withdrawal_is_paid_and_a_returned_one_is_credited_again(engine: Session) -> None:
    user_id = settled_user(engine, "500")
    payment = start(engine, user_id, kind=PaymentKind.WITHDRAWAL)
    assert wallet(engine, user_id) == (400, 100)
    tell(engine, news(payment, "payout.paid"))
    assert wallet(engine, user_id) == (400, 0)
    tell(engine, news(payment, "payout.failed", reason="account closed"))
    assert status(engine, payment) is PaymentStatus.FAILED
    assert wallet(engine, user_id) == (500, 0)
    assert tell(engine, news(payment, "payout.paid")).kind is OutcomeKind.IGNORED
    assert wallet(engine, user_id) == (500, 0)


def test_a_payout_that_the_house_had_stopped_calls_an_officer(engine: Session) -> None:
    user_id = settled_user(engine, "500")
    payment = start(engine, user_id, kind=PaymentKind.WITHDRAWAL)
    with engine.transaction():
        payments.fail_withdrawal(engine, payment.id, "stopped by hand")
    assert tell(engine, news(payment, "payout.paid")).kind is OutcomeKind.CONFLICTED
    assert wallet(engine, user_id) == (500, 0)


def test_news_about_another_kind_provider_or_name_are_conflicts(engine: Session) -> None:
    user_id = settled_user(engine)
    payment, direct = start(engine, user_id), start(engine, user_id, provider=Provider.DIRECT)
    told = [
        tell(engine, news(payment, "payout.paid")),
        tell(engine, news(direct, "charge.succeeded")),
        tell(engine, news(payment, "charge.processing")),
        tell(engine, news(payment, "charge.succeeded", payment="ch_another")),
    ]
    assert [each.kind for each in told] == ["conflicted", "conflicted", "applied", "conflicted"]
    assert wallet(engine, user_id) == (100, 0)


def test_every_step_that_news_can_lead_to_is_allowed_by_the_database(engine: Session) -> None:
    rows = engine.execute("SELECT object, from_status, to_status FROM payment_transitions")
    allowed = set(rows.fetchall())
    told_of = {
        PaymentKind.DEPOSIT: {"processing", "canceled", "failed", "unconfirmed", "succeeded"},
        PaymentKind.WITHDRAWAL: {"succeeded", "failed"},
    }
    waits = {"pending", "requires_approval"}
    missing = [
        (kind, known, told)
        for kind, ranks in RANKS.items()
        for known in ranks
        for told in told_of[kind]
        if is_news(kind, told=PaymentStatus(told), known=known)
        and (kind is PaymentKind.DEPOSIT or known not in waits)
        and (kind, known, told) not in allowed
    ]
    assert missing == []


def test_ids_above_two_billion_are_taken_everywhere(engine: Session) -> None:
    """Case 46: keys are UUIDs; sequences and counts are eight bytes."""
    narrow = engine.execute(
        "SELECT c.relname, a.attname FROM pg_attribute AS a"
        " JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')"
        " WHERE c.relnamespace = current_schema()::regnamespace"
        " AND a.attidentity <> '' AND a.atttypid <> 'bigint'::regtype"
    ).fetchall()
    assert narrow == []
    payment = start(engine, settled_user(engine))
    event_id = str(2**63)
    tell(engine, news(payment, "charge.succeeded"), event_id=event_id)
    assert value(engine, "SELECT event_id FROM webhook_events") == event_id


def test_refunds_and_disputes_at_once_never_pass_their_deposit(
    engine: Session, open_session: OpenSession
) -> None:
    """Case 42, from several sessions."""
    user_id = settled_user(engine)
    payment = deposited(engine, user_id)
    works = [
        partial(
            tell,
            body=news(payment, "refund.succeeded", amount="60.00", claim=f"claim_{number}"),
        )
        for number in range(3)
    ]
    kinds = sorted(str(getattr(each, "kind", each)) for each in at_once(open_session, works))
    assert kinds == ["applied", "waiting", "waiting"]
    assert wallet(engine, user_id) == (40, 0)
