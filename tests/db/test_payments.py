"""Deposits and withdrawals on a real database: states, money, limits, approval, races."""

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg
import pytest

from tests.cast import open_user, open_wallet, value
from tests.conftest import OpenSession
from tests.db.sessions import at_once
from tradewright import audit, payments
from tradewright.core.clock import pause
from tradewright.core.errors import ErrorCode, StateError, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.payments import Payment, PaymentKind, PaymentRequest, PaymentStatus, Provider
from tradewright.postgres.connect import Session


@pytest.fixture(autouse=True)
def laws_hold(engine: Session) -> Iterator[None]:
    """Hold every law after each of these tests, whatever it did."""
    yield
    audit.require_laws(audit.check_laws(engine))


def pay_in(session: Session, user_id: str, amount: str, payment_id: str = "") -> Payment:
    with session.transaction():
        return payments.deposit(
            session,
            payment_id=payment_id or new_id_text(),
            user_id=user_id,
            currency="USD",
            amount=Decimal(amount),
        )


def withdraw(session: Session, user_id: str, amount: str, payment_id: str = "") -> Payment:
    with session.transaction():
        return payments.request_withdrawal(
            session,
            payment_id=payment_id or new_id_text(),
            user_id=user_id,
            currency="USD",
            amount=Decimal(amount),
        )


def balances(session: Session, user_id: str) -> tuple[Decimal | int, Decimal | int]:
    row = session.execute(
        "SELECT available, reserved FROM user_balances WHERE user_id = %s", (user_id,)
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def settled_user(session: Session, *, kyc_level: int = 2, amount: str = "5000") -> str:
    """Open a user of long ago whose wallet was filled long ago."""
    user_id = open_user(session, kyc_level=kyc_level)
    session.execute(
        "UPDATE users SET created_at = now() - interval '1 year' WHERE id = %s", (user_id,)
    )
    open_wallet(session, user_id, amount)
    return user_id


def waiting(session: Session) -> tuple[str, Payment]:
    """Request a withdrawal that is too large to go without approval."""
    user_id = settled_user(session)
    return user_id, withdraw(session, user_id, "2000.01")


def by_card(user_id: str) -> PaymentRequest:
    """Return a request to withdraw 10 US dollars through the cards."""
    return PaymentRequest(
        payment_id=new_id_text(),
        user_id=user_id,
        kind=PaymentKind.WITHDRAWAL,
        currency="USD",
        amount=Decimal(10),
        provider=payments.Provider.CARDS,
        destination="IBAN-A",
    )


def refusal(caught: pytest.ExceptionInfo[TradewrightError]) -> ErrorCode:
    return caught.value.code


def test_a_deposit_is_checked_credited_and_done_in_one_transaction(engine: Session) -> None:
    user_id = open_user(engine)
    payment = pay_in(engine, user_id, "250.50")
    assert payment.status is PaymentStatus.SUCCEEDED
    assert payment.completed_at is not None
    assert balances(engine, user_id) == (Decimal("250.50"), 0)
    check = engine.execute(
        "SELECT risk_score, risk_level, findings FROM fraud_checks WHERE payment_id = %s",
        (payment.id,),
    ).fetchone()
    assert check == (10, "low", {"new_user": {"points": 10, "hours_since_opening": "0"}})


def test_the_trail_of_a_deposit_names_who_acted(engine: Session) -> None:
    user_id = open_user(engine)
    with engine.transaction():
        audit.acting_as(engine, "provider:cards")
        payment = pay_in(engine, user_id, "10")
    trail = audit.read_trail(engine, payment.id)
    assert [(entry.source, entry.action) for entry in trail] == [
        ("payment_transactions", "insert"),
        ("fraud_checks", "low"),
        ("balance_ledger", "credit"),
        ("payment_transactions", "update"),
    ]
    assert {entry.actor for entry in trail} == {"provider:cards", None}


def test_the_same_deposit_again_is_the_same_payment(engine: Session) -> None:
    user_id, payment_id = open_user(engine), new_id_text()
    first = pay_in(engine, user_id, "10", payment_id)
    assert pay_in(engine, user_id, "10", payment_id) == first
    assert balances(engine, user_id) == (10, 0)


def test_the_same_id_with_other_contents_is_a_conflict(engine: Session) -> None:
    user_id, other_id, payment_id = open_user(engine), settled_user(engine), new_id_text()
    pay_in(engine, user_id, "10", payment_id)
    for again in (
        partial(pay_in, engine, user_id, "11", payment_id),
        partial(pay_in, engine, other_id, "10", payment_id),
        partial(withdraw, engine, user_id, "10", payment_id),
    ):
        with pytest.raises(TradewrightError) as caught:
            again()
        assert refusal(caught) == ErrorCode.MONEY_IDEMPOTENCY_CONFLICT


@pytest.mark.parametrize(
    "changes",
    [{"destination": "IBAN-B"}, {"destination": None}, {"provider": payments.Provider.DIRECT}],
    ids=str,
)
def test_the_same_withdrawal_to_elsewhere_is_a_conflict(
    engine: Session, changes: dict[str, Any]
) -> None:
    """Case 12: where the money goes is a part of what was asked for."""
    asked = by_card(settled_user(engine))
    with engine.transaction():
        first = payments.start_payment(engine, asked)
    assert payments.start_payment(engine, asked) == first
    with pytest.raises(TradewrightError) as caught:
        payments.start_payment(engine, replace(asked, **changes))
    assert refusal(caught) == ErrorCode.MONEY_IDEMPOTENCY_CONFLICT


def test_a_repeat_after_the_user_was_suspended_is_answered(engine: Session) -> None:
    asked = by_card(settled_user(engine))
    with engine.transaction():
        first = payments.start_payment(engine, asked)
    engine.execute("UPDATE users SET status = 'suspended' WHERE id = %s", (asked.user_id,))
    assert payments.start_payment(engine, asked) == first
    with pytest.raises(TradewrightError) as caught:
        payments.start_payment(engine, replace(asked, payment_id=new_id_text()))
    assert refusal(caught) == ErrorCode.USER_NOT_ACTIVE


def test_one_deposit_from_eight_sessions_at_once_is_credited_once(
    engine: Session, open_session: OpenSession
) -> None:
    user_id, payment_id = open_user(engine), new_id_text()
    work = partial(pay_in, user_id=user_id, amount="10", payment_id=payment_id)
    results = at_once(open_session, [work] * 8)
    assert {getattr(result, "status", result) for result in results} == {PaymentStatus.SUCCEEDED}
    assert balances(engine, user_id) == (10, 0)


@pytest.mark.parametrize("step", [pay_in, withdraw])
def test_an_unknown_or_suspended_user_moves_no_money(engine: Session, step: object) -> None:
    move = pay_in if step is pay_in else withdraw
    with pytest.raises(TradewrightError) as caught:
        move(engine, new_id_text(), "10")
    assert refusal(caught) == ErrorCode.USER_UNKNOWN
    user_id = settled_user(engine)
    engine.execute("UPDATE users SET status = 'suspended' WHERE id = %s", (user_id,))
    with pytest.raises(TradewrightError) as caught:
        move(engine, user_id, "10")
    assert refusal(caught) == ErrorCode.USER_NOT_ACTIVE


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("NaN", ErrorCode.INPUT_AMOUNT_MALFORMED),
        ("0", ErrorCode.INPUT_AMOUNT_NOT_POSITIVE),
        ("0.001", ErrorCode.INPUT_AMOUNT_OVER_SCALED),
    ],
)
def test_a_bad_amount_is_refused_and_leaves_no_payment(
    engine: Session, amount: str, code: ErrorCode
) -> None:
    with pytest.raises(TradewrightError) as caught:
        pay_in(engine, open_user(engine), amount)
    assert refusal(caught) == code
    assert value(engine, "SELECT count(*) FROM payment_transactions") == 0


def test_a_user_without_verification_has_no_limit_and_may_not_pay(engine: Session) -> None:
    with pytest.raises(TradewrightError) as caught:
        pay_in(engine, open_user(engine, kyc_level=0), "0.01")
    assert refusal(caught) == ErrorCode.PAYMENT_LIMIT_EXCEEDED


def test_the_days_deposits_add_up_to_the_limit_and_no_further(engine: Session) -> None:
    user_id = open_user(engine, kyc_level=1)
    pay_in(engine, user_id, "1000")
    pay_in(engine, user_id, "999.99")
    with pytest.raises(TradewrightError) as caught:
        pay_in(engine, user_id, "0.02")
    assert refusal(caught) == ErrorCode.PAYMENT_LIMIT_EXCEEDED
    pay_in(engine, user_id, "0.01")
    assert balances(engine, user_id) == (2000, 0)


@pytest.mark.parametrize(("microseconds", "counts"), [(0, True), (-1, False)])
def test_a_day_begins_at_midnight_utc(engine: Session, microseconds: int, counts: bool) -> None:
    """Case 35: the first instant of the day belongs to it, the last of yesterday does not."""
    user_id = open_user(engine, kyc_level=1)
    engine.execute("SET timezone TO 'Pacific/Auckland'")
    engine.execute(
        "INSERT INTO payment_transactions (id, user_id, kind, currency, amount, status,"
        " created_at) VALUES (uuidv7(), %s, 'deposit', 'USD', 1500, 'pending',"
        " date_trunc('day', now(), 'UTC') + %s * interval '1 microsecond')",
        (user_id, microseconds),
    )
    if counts:
        with pytest.raises(TradewrightError) as caught:
            pay_in(engine, user_id, "1000")
        assert refusal(caught) == ErrorCode.PAYMENT_LIMIT_EXCEEDED
    else:
        assert pay_in(engine, user_id, "1000").status is PaymentStatus.SUCCEEDED


def test_two_withdrawals_of_sixty_percent_of_the_daily_limit_at_once_one_passes(
    engine: Session, open_session: OpenSession
) -> None:
    """Case 34."""
    engine.execute("UPDATE payment_limits SET amount_max = daily_max")
    user_id = settled_user(engine, kyc_level=1, amount="9000")
    work = partial(withdraw, user_id=user_id, amount="1200")
    results = at_once(open_session, [work, work])
    codes = [result.code for result in results if isinstance(result, TradewrightError)]
    assert codes == [ErrorCode.PAYMENT_LIMIT_EXCEEDED]
    assert balances(engine, user_id) == (7800, 1200)


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_deposits_that_only_together_pass_the_limit_never_both_pass_whatever_a_server_isolates(
    engine: Session, open_session: OpenSession, level: str
) -> None:
    """A session that kept to an older snapshot would not see what was begun while it waited."""
    engine.execute("UPDATE payment_limits SET amount_max = daily_max")
    user_id = settled_user(engine, kyc_level=1, amount="100")
    (daily_max,) = engine.execute(
        "SELECT daily_max FROM payment_limits WHERE kyc_level = 1 AND kind = 'deposit'"
    ).fetchone() or (0,)
    database = engine.info.dbname
    engine.execute(
        f"ALTER DATABASE \"{database}\" SET default_transaction_isolation TO '{level}'".encode()
    )

    def begin(session: Session) -> Payment:
        request = PaymentRequest(
            payment_id=new_id_text(),
            user_id=user_id,
            kind=PaymentKind.DEPOSIT,
            currency="USD",
            amount=round(daily_max * Decimal("0.6"), 2),
            provider=Provider.CARDS,
        )
        with session.transaction():
            return payments.start_payment(session, request)

    first, second = open_session(), open_session()
    with ThreadPoolExecutor(1) as pool:
        with first.transaction():
            begin(first)
            waiting = pool.submit(begin, second)
            waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
            while not value(engine, waits, second.info.backend_pid):
                pause(0.01)
        with pytest.raises(TradewrightError) as caught:
            waiting.result(timeout=30)
    assert caught.value.code is ErrorCode.PAYMENT_LIMIT_EXCEEDED


def test_a_failed_or_canceled_withdrawal_gives_its_part_of_the_limit_back(
    engine: Session,
) -> None:
    user_id = settled_user(engine, kyc_level=1)
    for _ in range(3):
        payment = withdraw(engine, user_id, "1000")
        with engine.transaction():
            payments.cancel_withdrawal(engine, payment.id)
    assert withdraw(engine, user_id, "1000").status is PaymentStatus.REQUIRES_APPROVAL


def test_a_small_unsuspicious_withdrawal_needs_no_approval(engine: Session) -> None:
    user_id = settled_user(engine)
    payment = withdraw(engine, user_id, "2000")
    assert payment.status is PaymentStatus.PROCESSING
    assert balances(engine, user_id) == (3000, 2000)
    with engine.transaction():
        done = payments.complete_withdrawal(engine, payment.id)
    assert done.status is PaymentStatus.SUCCEEDED
    assert balances(engine, user_id) == (3000, 0)


def test_a_withdrawal_soon_after_an_untraded_deposit_waits_for_approval(engine: Session) -> None:
    user_id = open_user(engine)
    pay_in(engine, user_id, "100")
    payment = withdraw(engine, user_id, "50")
    assert payment.status is PaymentStatus.REQUIRES_APPROVAL
    findings = value(engine, "SELECT findings FROM fraud_checks WHERE payment_id = %s", payment.id)
    assert findings == {
        "new_user": {"points": 20, "hours_since_opening": "0"},
        "withdrawal_without_trading": {"points": 45, "minutes_since_deposit": "0"},
    }


def busy_user(session: Session) -> str:
    """Open a new user who has asked for ten payments within the hour, all of which failed."""
    user_id = open_user(session, kyc_level=4)
    open_wallet(session, user_id)
    session.execute(
        "INSERT INTO payment_transactions (id, user_id, kind, currency, amount)"
        " SELECT uuidv7(), %s, 'deposit', 'USD', 10 FROM generate_series(1, 10)",
        (user_id,),
    )
    session.execute("UPDATE payment_transactions SET status = 'failed', completed_at = now()")
    return user_id


def test_a_denied_payment_is_kept_as_failed_and_moves_nothing(engine: Session) -> None:
    user_id = busy_user(engine)
    denied = withdraw(engine, user_id, "5")
    assert denied.status is PaymentStatus.FAILED
    assert denied.failure_reason == "PAYMENT_FRAUD_SUSPECTED"
    assert balances(engine, user_id) == (100, 0)
    with pytest.raises(StateError) as caught:
        payments.require_not_denied(denied)
    assert caught.value.code == ErrorCode.PAYMENT_FRAUD_SUSPECTED
    assert withdraw(engine, user_id, "5", denied.id) == denied


def test_a_denied_deposit_is_not_credited(engine: Session) -> None:
    user_id = busy_user(engine)
    denied = pay_in(engine, user_id, "1000")
    assert denied.failure_reason == "PAYMENT_FRAUD_SUSPECTED"
    assert balances(engine, user_id) == (100, 0)


def test_a_withdrawal_of_more_than_there_is_leaves_nothing_behind(engine: Session) -> None:
    user_id = settled_user(engine, amount="10")
    with pytest.raises(TradewrightError) as caught:
        withdraw(engine, user_id, "10.01")
    assert refusal(caught) == ErrorCode.MONEY_INSUFFICIENT_FUNDS
    assert value(engine, "SELECT count(*) FROM payment_transactions") == 0


def test_a_withdrawal_without_a_wallet_lacks_funds(engine: Session) -> None:
    with pytest.raises(TradewrightError) as caught:
        withdraw(engine, open_user(engine), "1")
    assert refusal(caught) == ErrorCode.MONEY_INSUFFICIENT_FUNDS


def test_an_officer_approves_and_the_record_says_who(engine: Session) -> None:
    user_id, payment = waiting(engine)
    officer_id = open_user(engine, role="payments_officer")
    assert payment.status is PaymentStatus.REQUIRES_APPROVAL
    with engine.transaction():
        approved = payments.approve_payment(engine, payment.id, officer_id)
        assert payments.approve_payment(engine, payment.id, officer_id) == approved
        payments.complete_withdrawal(engine, payment.id)
    stored = payments.find_payment(engine, payment.id)
    assert (stored.status, stored.approved_by) == (PaymentStatus.SUCCEEDED, officer_id)
    assert balances(engine, user_id) == (Decimal("2999.99"), 0)


def test_only_another_officer_approves(engine: Session) -> None:
    user_id, payment = waiting(engine)
    engine.execute(
        "INSERT INTO user_roles (user_id, role) VALUES (%s, 'payments_officer')", (user_id,)
    )
    for officer_id, code in (
        (user_id, ErrorCode.PAYMENT_APPROVAL_REFUSED),
        (open_user(engine, role="trader"), ErrorCode.USER_ROLE_MISSING),
        (new_id_text(), ErrorCode.USER_UNKNOWN),
    ):
        with pytest.raises(TradewrightError) as caught:
            payments.approve_payment(engine, payment.id, officer_id)
        assert refusal(caught) == code
    assert payments.find_payment(engine, payment.id).status is PaymentStatus.REQUIRES_APPROVAL


def test_a_canceled_withdrawal_gives_the_money_back_once(engine: Session) -> None:
    user_id, payment = waiting(engine)
    with engine.transaction():
        canceled = payments.cancel_withdrawal(engine, payment.id)
        assert payments.cancel_withdrawal(engine, payment.id) == canceled
    assert balances(engine, user_id) == (5000, 0)


def test_a_failed_withdrawal_gives_the_money_back_and_keeps_the_reason(engine: Session) -> None:
    user_id = settled_user(engine)
    payment = withdraw(engine, user_id, "2000")
    with engine.transaction():
        failed = payments.fail_withdrawal(engine, payment.id, "bank returned it")
        assert payments.fail_withdrawal(engine, payment.id, "again") == failed
    assert (failed.status, failed.failure_reason) == (PaymentStatus.FAILED, "bank returned it")
    assert balances(engine, user_id) == (5000, 0)


def test_an_ended_withdrawal_takes_no_other_step(engine: Session) -> None:
    """Case 40, inside the house: succeeded after canceled is refused, and nothing is lost."""
    _, payment = waiting(engine)
    officer_id = open_user(engine, role="payments_officer")
    with engine.transaction():
        payments.cancel_withdrawal(engine, payment.id)
    for step in (
        partial(payments.complete_withdrawal, engine, payment.id),
        partial(payments.fail_withdrawal, engine, payment.id, "late"),
        partial(payments.approve_payment, engine, payment.id, officer_id),
    ):
        with pytest.raises(TradewrightError) as caught:
            step()
        assert refusal(caught) == ErrorCode.PAYMENT_STATE_REFUSED


def test_a_withdrawal_that_waits_is_not_paid_and_one_in_flight_is_not_canceled(
    engine: Session,
) -> None:
    _, payment = waiting(engine)
    with pytest.raises(TradewrightError) as caught:
        payments.complete_withdrawal(engine, payment.id)
    assert refusal(caught) == ErrorCode.PAYMENT_STATE_REFUSED
    flying = withdraw(engine, settled_user(engine), "10")
    with pytest.raises(TradewrightError) as caught:
        payments.cancel_withdrawal(engine, flying.id)
    assert refusal(caught) == ErrorCode.PAYMENT_STATE_REFUSED


def test_a_withdrawal_of_who_was_suspended_is_neither_approved_nor_paid(engine: Session) -> None:
    officer_id = open_user(engine, role="payments_officer")
    user_id, asked = waiting(engine)
    flying = withdraw(engine, other_id := settled_user(engine), "10")
    for each in (user_id, other_id):
        engine.execute("UPDATE users SET status = 'suspended' WHERE id = %s", (each,))
    steps: list[Callable[[], object]] = [
        partial(payments.approve_payment, engine, asked.id, officer_id),
        partial(payments.complete_withdrawal, engine, flying.id),
    ]
    for step in steps:
        with pytest.raises(TradewrightError) as caught:
            step()
        assert refusal(caught) == ErrorCode.USER_NOT_ACTIVE
    with engine.transaction():
        refused = payments.refuse_payment(engine, asked.id, officer_id, reason="suspended")
    assert refused.status is PaymentStatus.FAILED


def test_completing_and_failing_at_once_end_it_once(
    engine: Session, open_session: OpenSession
) -> None:
    user_id = settled_user(engine)
    payment = withdraw(engine, user_id, "100")

    def complete(session: Session) -> Payment:
        with session.transaction():
            return payments.complete_withdrawal(session, payment.id)

    def fail(session: Session) -> Payment:
        with session.transaction():
            return payments.fail_withdrawal(session, payment.id, "returned")

    results = at_once(open_session, [complete, fail] * 2)
    refused = [result for result in results if isinstance(result, TradewrightError)]
    assert {error.code for error in refused} == {ErrorCode.PAYMENT_STATE_REFUSED}
    assert len(refused) == 2
    assert balances(engine, user_id) in {(4900, 0), (5000, 0)}


@pytest.mark.parametrize(
    "step",
    [
        payments.find_payment,
        payments.complete_withdrawal,
        payments.cancel_withdrawal,
        partial(payments.fail_withdrawal, reason="x"),
        partial(payments.approve_payment, officer_id=new_id_text()),
    ],
)
def test_an_unknown_payment_is_refused(engine: Session, step: object) -> None:
    assert callable(step)
    with pytest.raises(TradewrightError) as caught:
        step(engine, new_id_text())
    assert refusal(caught) == ErrorCode.PAYMENT_UNKNOWN


def test_a_deposit_is_no_withdrawal(engine: Session) -> None:
    payment = pay_in(engine, open_user(engine), "10")
    with pytest.raises(TradewrightError) as caught:
        payments.cancel_withdrawal(engine, payment.id)
    assert refusal(caught) == ErrorCode.PAYMENT_UNKNOWN


@pytest.mark.parametrize(
    ("score", "level"), [("-0.01", "low"), ("100.01", "critical"), ("NaN", "critical")]
)
def test_the_database_refuses_a_score_outside_0_to_100(
    engine: Session, score: str, level: str
) -> None:
    """Case 43."""
    payment = pay_in(engine, open_user(engine), "10")
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        engine.execute(
            "INSERT INTO fraud_checks (id, payment_id, risk_score, risk_level, findings)"
            " VALUES (uuidv7(), %s, %s, %s, '{}')",
            (payment.id, score, level),
        )
    assert "risk_score_in_range" in str(caught.value.diag.constraint_name)


@pytest.mark.parametrize(
    ("score", "level"),
    [("0", "low"), ("29.99", "low"), ("30", "medium"), ("84.99", "high"), ("100", "critical")],
)
def test_the_database_and_the_rules_agree_on_levels(
    engine: Session, score: str, level: str
) -> None:
    """Case 43."""
    payment = pay_in(engine, open_user(engine), "10")
    taken = []
    for word in ("low", "medium", "high", "critical"):
        with contextlib.suppress(psycopg.errors.CheckViolation):
            engine.execute(
                "INSERT INTO fraud_checks (id, payment_id, risk_score, risk_level, findings)"
                " VALUES (uuidv7(), %s, %s, %s, '{}')",
                (payment.id, score, word),
            )
            taken.append(word)
    assert taken == [level]
