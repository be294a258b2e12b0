"""Statements over random days: what is old enough to differ, and what settling leaves where.

Beside them stand computations of their own: of a movement's bucket from its instant, and of the
house's balances from sums of lines.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.news import news, settled_user, tell
from tradewright import audit, payments
from tradewright.core.clock import utc_now
from tradewright.core.ids import new_id_text
from tradewright.payments import Payment, PaymentKind, PaymentRequest, Provider, RateObserved
from tradewright.payments.providers.booking import Booking, as_csv
from tradewright.payments.reconciliation.match import TIMING_AGE_MAX
from tradewright.payments.reconciliation.model import Bucket
from tradewright.payments.reconciliation.service import compare, import_statement
from tradewright.payments.reconciliation.settlement import settle
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.embedded import EmbeddedServer

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland")
SCALES = {"USD": 2, "EUR": 2, "JPY": 0}
MOMENT = timedelta(microseconds=1)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def session(server: EmbeddedServer, engine_template: str) -> Iterator[Session]:
    """Give one session on a database of this module's own; the laws are held at the end."""
    server.create_database("statement_laws", template=engine_template)
    with connect(server.conninfo("statement_laws"), autocommit=True) as opened:
        rates = [
            RateObserved(
                base=each, quote="USD", rate=Decimal("0.01"), source="test", observed_at=utc_now()
            )
            for each in ("EUR", "JPY")
        ]
        payments.record_rates(opened, rates)
        yield opened
        opened.execute("SET timezone TO 'UTC'")
        audit.require_laws(audit.check_laws(opened))


def paid_in(session: Session, user_id: str, amount: Decimal, currency: str = "USD") -> Payment:
    """Take a deposit in, long enough after the one before."""
    session.execute(
        "UPDATE payment_transactions SET created_at = created_at - interval '50 days'"
        " WHERE user_id = %s",
        (user_id,),
    )
    request = PaymentRequest(
        payment_id=new_id_text(),
        user_id=user_id,
        kind=PaymentKind.DEPOSIT,
        currency=currency,
        amount=amount,
        provider=Provider.CARDS,
    )
    with session.transaction():
        payment = payments.start_payment(session, request)
    tell(session, news(payment, "charge.succeeded"))
    return payment


def midnights() -> list[datetime]:
    """Return midnights of late: of this week, and of the months that began before it."""
    today = datetime.combine(utc_now().date(), datetime.min.time(), UTC)
    first = today.replace(day=1)
    before = [first, (first - DAY).replace(day=1), first - 45 * DAY]
    return [today - count * DAY for count in range(5)] + before


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 7), st.sampled_from([-1, 0, 1, 40_000_000_000]), st.booleans()),
        min_size=1,
        max_size=4,
    ),
    st.integers(0, 7),
    st.sampled_from(ZONES),
)
def test_what_a_run_looks_at_and_calls_old_is_what_its_instant_says(
    session: Session, drawn: list[tuple[int, int, bool]], first: int, zone: str
) -> None:
    """Midnights and ends of months are UTC's in whatever zone a session is, to the microsecond."""
    session.execute(f"SET timezone TO '{zone}'".encode())
    user_id, since = settled_user(session), midnights()[first]
    expected: dict[str, Bucket] = {}
    names: set[str] = set()
    for place, moments, is_stated in drawn:
        instant = midnights()[place] + moments * MOMENT
        payment = paid_in(session, user_id, Decimal(1))
        session.execute(
            "UPDATE payment_transactions SET completed_at = %s WHERE id = %s",
            (instant, payment.id),
        )
        name = f"ch_{payment.id}"
        if is_stated:
            take(session, [stated(name, Decimal(1), booked_on=instant.date())])
        is_old = utc_now() - instant > TIMING_AGE_MAX
        missing = Bucket.INTERNAL_ONLY if is_old else Bucket.TIMING
        if instant >= since:
            expected[name] = Bucket.MATCHED if is_stated else missing
        names.add(name)
    matches = compare(session, Provider.CARDS, since=since.date())
    met = {each.key.reference: each.bucket for each in matches if each.key.reference in names}
    assert met == expected


def stated(
    name: str,
    amount: Decimal,
    *,
    currency: str = "USD",
    fee: Decimal = Decimal(0),
    booked_on: date | None = None,
) -> Booking:
    """Return a line about a deposit."""
    return Booking(
        kind="deposit",
        reference=name,
        currency=currency,
        amount=amount,
        fee=fee,
        booked_on=booked_on or utc_now().date(),
    )


def take(session: Session, bookings: list[Booking]) -> None:
    """Take a statement in."""
    with session.transaction():
        import_statement(session, Provider.CARDS, as_csv(bookings))


def house(session: Session) -> dict[tuple[str, str], Decimal]:
    """Return what the house holds where, by account and currency."""
    rows = session.execute("SELECT code, currency, balance FROM house_positions")
    return {(row[0], row[1]): row[2] for row in rows}


LINES = st.lists(
    st.tuples(st.sampled_from(sorted(SCALES)), st.integers(1, 5_000), st.integers(0, 9_000)),
    min_size=1,
    max_size=5,
)


@settings(max_examples=15, deadline=None)
@given(LINES)
@example([("JPY", 500, 600), ("USD", 1, 2), ("EUR", 100, 100)])
def test_a_day_is_settled_in_each_currency_with_its_own_fees(
    session: Session, drawn: list[tuple[str, int, int]]
) -> None:
    """Fees may be more than what came; of one currency they are never paid in another."""
    session.execute("SET timezone TO 'UTC'")
    settle_today(session)
    before, user_id, lines = house(session), settled_user(session, kyc_level=4), []
    for currency, amount, fee in drawn:
        unit = Decimal(1).scaleb(-SCALES[currency])
        payment = paid_in(session, user_id, amount * unit, currency)
        name = f"ch_{payment.id}"
        lines.append(stated(name, amount * unit, currency=currency, fee=fee * unit))
    take(session, lines)
    settle_today(session)
    after = house(session)
    for currency in SCALES:
        mine = [line for line in lines if line.currency == currency]
        fees = sum((line.fee for line in mine), Decimal(0))
        came = sum((line.amount for line in mine), Decimal(0))
        moved = {"bank": fees - came, "provider_costs": -fees, "clearing_cards": Decimal(0)}
        change = {
            code: after.get((code, currency), 0) - before.get((code, currency), 0) for code in moved
        }
        assert change == moved


def settle_today(session: Session) -> None:
    """Settle what is stated of today."""
    with session.transaction():
        settle(session, Provider.CARDS, utc_now().date())
