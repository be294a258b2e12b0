"""Limits on a real database: the ends of days and months, deposits that come late, and rates."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

import psycopg
import pytest

from tests.cast import open_user, value
from tests.conftest import OpenSession
from tests.db.sessions import at_once
from tests.floor import Floor, buy, deal
from tests.news import news, settled_user, start, tell, wallet
from tradewright import audit, ledger, payments
from tradewright.core.clock import pause
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.operations import Means
from tradewright.operations.jobs import JOBS
from tradewright.payments import (
    Payment,
    PaymentKind,
    PaymentRequest,
    PaymentStatus,
    Provider,
    RateObserved,
)
from tradewright.payments.limits import read_used
from tradewright.payments.model import Counted, Used
from tradewright.payments.rates import read_rate
from tradewright.payments.webhooks.outcome import OutcomeKind
from tradewright.postgres.connect import Session
from tradewright.postgres.retry import same_connection


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
    before = read_used(engine, user_id, PaymentKind.DEPOSIT, asked_at=midnight - MOMENT)
    assert before == Used(day=Decimal(100), rolling=Decimal(1 + 10 + 100 + 1))
    after = read_used(engine, user_id, PaymentKind.DEPOSIT, asked_at=midnight)
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


def observe(session: Session, currency: str, of: str, *, age: timedelta = timedelta(0)) -> None:
    instant = datetime.now(UTC) - age
    observed = RateObserved(
        base=currency, quote="USD", rate=Decimal(of), source=new_id_text(), observed_at=instant
    )
    payments.record_rates(session, [observed])


def pay_in(session: Session, user_id: str, amount: str, currency: str = "USD") -> Payment:
    request = PaymentRequest(
        payment_id=new_id_text(),
        user_id=user_id,
        kind=PaymentKind.DEPOSIT,
        currency=currency,
        amount=Decimal(amount),
        provider=Provider.CARDS,
    )
    with session.transaction():
        return payments.start_payment(session, request)


def refused(session: Session, user_id: str, amount: str, currency: str = "USD") -> ErrorCode:
    with pytest.raises(TradewrightError) as caught:
        pay_in(session, user_id, amount, currency)
    return caught.value.code


def test_a_limit_holds_over_all_currencies_together(engine: Session) -> None:
    """1,000 dollars at once and 2,000 a day are so much, in however many currencies."""
    user_id = settled_user(engine, kyc_level=1)
    for currency, of in (("EUR", "1.10"), ("GBP", "1.25"), ("JPY", "0.0064")):
        observe(engine, currency, of)
    assert refused(engine, user_id, "909.10", "EUR") == ErrorCode.PAYMENT_LIMIT_EXCEEDED
    pay_in(engine, user_id, "909.09", "EUR")
    pay_in(engine, user_id, "640", "GBP")
    pay_in(engine, user_id, "31250", "JPY")
    assert refused(engine, user_id, "0.01") == ErrorCode.PAYMENT_LIMIT_EXCEEDED
    assert refused(engine, user_id, "1", "JPY") == ErrorCode.PAYMENT_LIMIT_EXCEEDED
    used = read_used(engine, user_id, PaymentKind.DEPOSIT)
    assert used == Used(day=Decimal("1999.999"), rolling=Decimal("1999.999"))


def test_what_a_payment_takes_of_a_limit_stays_when_rates_move(engine: Session) -> None:
    user_id = settled_user(engine, kyc_level=1)
    observe(engine, "EUR", "1.10", age=timedelta(minutes=2))
    first = pay_in(engine, user_id, "900", "EUR")
    assert first.counted == Counted(Decimal("1.10"), Decimal(990))
    observe(engine, "EUR", "0.50", age=timedelta(minutes=1))
    pay_in(engine, user_id, "1000", "EUR")
    observe(engine, "EUR", "2.00")
    assert read_used(engine, user_id, PaymentKind.DEPOSIT).day == 1490
    assert refused(engine, user_id, "255.01", "EUR") == ErrorCode.PAYMENT_LIMIT_EXCEEDED
    pay_in(engine, user_id, "255", "EUR")
    with pytest.raises(psycopg.Error, match="cannot change"):
        engine.execute("UPDATE payment_transactions SET counted_rate = 1, counted_amount = amount")


@pytest.mark.parametrize(
    ("age", "code"),
    [(None, "EXCHANGE_RATE_MISSING"), (timedelta(hours=97), "EXCHANGE_RATE_STALE")],
)
def test_without_a_fresh_rate_nothing_begins_in_another_currency(
    engine: Session, age: timedelta | None, code: str
) -> None:
    user_id = settled_user(engine)
    if age is not None:
        observe(engine, "EUR", "1.10", age=age)
    assert refused(engine, user_id, "1", "EUR") == code
    assert payments.list_payments(engine) == []
    pay_in(engine, user_id, "1")


def test_deposits_in_two_currencies_that_pass_only_together_never_both_pass(
    engine: Session, open_session: OpenSession
) -> None:
    """Case 34 over currencies: their wallets are two, and the limit is one."""
    engine.execute("UPDATE payment_limits SET amount_max = daily_max")
    user_id = settled_user(engine, kyc_level=1)
    observe(engine, "EUR", "1.10")
    first, second = open_session(), open_session()
    with ThreadPoolExecutor(1) as pool:
        with first.transaction():
            pay_in(first, user_id, "1200")
            waiting = pool.submit(refused, second, user_id, "1100", "EUR")
            waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
            while not (waiting.done() or value(engine, waits, second.info.backend_pid)):
                pause(0.01)
        assert waiting.result(timeout=30) == ErrorCode.PAYMENT_LIMIT_EXCEEDED


def test_withdrawals_in_many_currencies_at_once_pass_one_limit(
    engine: Session, open_session: OpenSession
) -> None:
    user_id = settled_user(engine, "9000", kyc_level=1)
    for currency in ("EUR", "GBP", "CHF"):
        observe(engine, currency, "1")
        ledger.credit(engine, user_id, currency, Decimal(9000), transaction_id=new_id_text())

    def withdraw(session: Session, *, currency: str) -> str:
        with session.transaction():
            return payments.request_withdrawal(
                session,
                payment_id=new_id_text(),
                user_id=user_id,
                currency=currency,
                amount=Decimal(700),
            ).currency

    works = [partial(withdraw, currency=each) for each in ("USD", "EUR", "GBP", "CHF")]
    results = at_once(open_session, works)
    codes = [each.code for each in results if isinstance(each, TradewrightError)]
    assert codes == [ErrorCode.PAYMENT_LIMIT_EXCEEDED] * 2
    assert read_used(engine, user_id, PaymentKind.WITHDRAWAL).day == 1400


def coins(session: Session, user_id: str, satoshis: int) -> Payment:
    """Let coins arrive that are final at once."""
    address, txid = f"btc1{new_id_text()}", new_id_text().replace("-", "")
    payments.assign_address(session, Provider.CHAIN, address, user_id=user_id, currency="BTC")
    fields = {"type": "transfer.seen", "chain": "btc", "txid": txid, "output": 0, "round": 0}
    told = fields | {"address": address, "value": str(satoshis), "confirmations": 3}
    tell(session, json.dumps(told).encode(), provider="chain")
    return payments.list_payments(session, user_id=user_id)[0]


def dropped(session: Session, payment: Payment) -> bytes:
    """Return the message that a reorganisation has taken coins away."""
    told = value(session, "SELECT body FROM webhook_events WHERE reference = %s", payment.reference)
    return json.dumps(json.loads(str(told)) | {"type": "transfer.dropped"}).encode()


def test_coins_that_come_without_a_rate_are_counted_before_they_are_credited(
    engine: Session,
) -> None:
    user_id = settled_user(engine, kyc_level=1)
    officer_id = open_user(engine, role="payments_officer")
    arrived = coins(engine, user_id, 1_000_000)
    assert (arrived.status, arrived.counted) == (PaymentStatus.REQUIRES_APPROVAL, None)
    assert refused(engine, user_id, "1") == ErrorCode.EXCHANGE_RATE_MISSING
    with pytest.raises(TradewrightError) as caught, engine.transaction():
        payments.approve_payment(engine, arrived.id, officer_id)
    assert caught.value.code == ErrorCode.EXCHANGE_RATE_MISSING
    observe(engine, "BTC", "50000", age=timedelta(minutes=1))
    assert read_used(engine, user_id, PaymentKind.DEPOSIT).day == 500
    with engine.transaction():
        payments.approve_payment(engine, arrived.id, officer_id)
    observe(engine, "BTC", "90000")
    assert payments.find_payment(engine, arrived.id).counted == Counted(
        Decimal(50000), Decimal(500)
    )
    assert read_used(engine, user_id, PaymentKind.DEPOSIT).day == 500


def test_more_coins_than_can_be_counted_wait_for_an_officer(engine: Session) -> None:
    observe(engine, "BTC", "99999999")
    arrived = coins(engine, settled_user(engine, kyc_level=4), 10**14)
    assert (arrived.status, arrived.counted) == (PaymentStatus.REQUIRES_APPROVAL, None)


@pytest.mark.parametrize(
    ("columns", "constraint"),
    [
        ("'deposit', 'EUR', 10, 1.1, 10.99999999", "counted_at_its_rate"),
        ("'deposit', 'EUR', 10, NULL, 11", "counted_with_its_rate"),
        ("'deposit', 'USD', 10, 0.5, 5", "dollars_count_as_they_are"),
        ("'deposit', 'EUR', 10, 'NaN', 'NaN'", "counted_rate_positive"),
        ("'withdrawal', 'EUR', 10, NULL, NULL", "counted_before_money_moves"),
    ],
)
def test_the_database_refuses_a_payment_that_is_not_counted_as_it_is_worth(
    engine: Session, columns: str, constraint: str
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        engine.execute(
            "INSERT INTO payment_transactions"
            " (id, user_id, kind, currency, amount, counted_rate, counted_amount)"
            f" VALUES (uuidv7(), %s, {columns})".encode(),
            (open_user(engine),),
        )
    assert caught.value.diag.constraint_name == f"payment_transactions_{constraint}"


def test_an_amount_is_judged_against_what_the_user_paid_in_any_currency(engine: Session) -> None:
    """Else a first payment in another currency had no habit to break, whatever its amount."""
    user_id = settled_user(engine, kyc_level=4)
    observe(engine, "EUR", "1.10")
    for _ in range(3):
        tell(engine, news(start(engine, user_id), "charge.succeeded"))
    found = payments.read_fraud_checks(engine, pay_in(engine, user_id, "5000", "EUR").id)[0]
    assert found["findings"]["amount_against_history"]["points"] == 40


def test_the_last_prices_of_engines_tell_what_currencies_are_worth(floor: Floor) -> None:
    job, session = JOBS["record_rates"], floor.session
    account = floor.account()
    with floor.engine() as engine:
        floor.quote(engine, "EURUSD", "1.10000", "1.10010")
        floor.quote(engine, "USDJPY", "150.000", "150.010")
        deal(engine, buy(account, 1_000))
    means = Means(source=same_connection(session))
    assert job.work(means) == 2
    rates = session.execute(
        "SELECT base_currency, quote_currency, rate, source FROM exchange_rates ORDER BY 1"
    ).fetchall()
    assert rates == [
        ("EUR", "USD", Decimal("1.10005000"), "last price"),
        ("JPY", "USD", Decimal("0.00666644"), "last price"),
    ]
    assert job.work(means) == 0
    session.execute("UPDATE last_prices SET quoted_at = now() - interval '71 hours'")
    assert job.work(means) == 2
    assert read_rate(session, "JPY", "USD").rate == Decimal("0.00666644")
    session.execute("UPDATE last_prices SET quoted_at = now() + interval '30 s'")
    assert job.work(means) == 0
