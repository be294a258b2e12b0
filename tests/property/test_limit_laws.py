"""Limits over all currencies, beside a computation of their own.

Random histories of payments in three currencies, at rates that move between them, some of them
lost: what begins and what is refused is what exact fractions say, counted at each payment's moment.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.news import settled_user
from tradewright import audit, payments
from tradewright.core.clock import utc_now
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.payments import PaymentKind, PaymentRequest, Provider, RateObserved
from tradewright.payments.limits import counted_at, read_used
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.embedded import EmbeddedServer

AT_ONCE, DAILY, ROLLING = 1000, 2000, 10000


@dataclass(frozen=True)
class Step:
    """A payment that is asked for some days later, at a rate; `lost` when it comes to nothing."""

    currency: str
    cents: int
    rate: Decimal
    days_later: int
    lost: bool


STEPS = st.builds(
    Step,
    currency=st.sampled_from(["USD", "EUR", "JPY"]),
    cents=st.integers(1, 130_000),
    rate=st.decimals("0.0001", "2.5", places=8, allow_nan=False, allow_infinity=False),
    days_later=st.sampled_from([0, 0, 0, 1, 12]),
    lost=st.booleans(),
)


@pytest.fixture(scope="module")
def session(server: EmbeddedServer, engine_template: str) -> Iterator[Session]:
    """Give one session on a database of this module's own; the laws are held at the end."""
    server.create_database("limits", template=engine_template)
    with connect(server.conninfo("limits"), autocommit=True) as opened:
        yield opened
        audit.require_laws(audit.check_laws(opened))


def dollars(step: Step) -> Fraction:
    """Return what a payment takes, in dollars, rounded up to a hundred millionth."""
    amount = Fraction(step.cents, 1 if step.currency == "JPY" else 100)
    rate = Fraction(1) if step.currency == "USD" else Fraction(step.rate)
    return Fraction(ceil(amount * rate * 10**8), 10**8)


def begins(session: Session, user_id: str, step: Step, number: int) -> bool:
    """Ask for a payment at its rate; tell whether it begins."""
    if step.currency != "USD":
        observed = RateObserved(
            base=step.currency,
            quote="USD",
            rate=step.rate,
            source=f"{user_id} {number}",
            observed_at=utc_now(),
        )
        payments.record_rates(session, [observed])
    request = PaymentRequest(
        payment_id=new_id_text(),
        user_id=user_id,
        kind=PaymentKind.DEPOSIT,
        currency=step.currency,
        amount=Decimal(step.cents) / (1 if step.currency == "JPY" else 100),
        provider=Provider.CARDS,
    )
    try:
        with session.transaction():
            payment = payments.start_payment(session, request)
            if step.lost:
                payments.cancel_deposit(session, payment.id)
    except TradewrightError as error:
        if error.code != ErrorCode.PAYMENT_LIMIT_EXCEEDED:
            raise
        return False
    return True


def pass_days(session: Session, user_id: str, days: int) -> None:
    """Let days go by: what was asked for is so much older."""
    session.execute(
        "UPDATE payment_transactions SET created_at = created_at - %s WHERE user_id = %s",
        (timedelta(days=days), user_id),
    )


@settings(max_examples=20, deadline=None)
@given(st.lists(STEPS, min_size=2, max_size=9))
def test_what_begins_is_what_a_computation_of_its_own_lets_begin(
    session: Session, steps: list[Step]
) -> None:
    user_id, day, taken = settled_user(session, kyc_level=1), 0, list[tuple[int, Fraction]]()
    session.execute("UPDATE payment_limits SET amount_max = %s WHERE kyc_level = 1", (AT_ONCE,))
    for number, step in enumerate(steps):
        pass_days(session, user_id, step.days_later)
        day += step.days_later
        asked = dollars(step)
        of_day = sum(amount for on, amount in taken if on == day)
        of_month = sum(amount for on, amount in taken if on > day - 30)
        expected = asked <= AT_ONCE and of_day + asked <= DAILY and of_month + asked <= ROLLING
        assert begins(session, user_id, step, number) is expected
        if expected and not step.lost:
            taken.append((day, asked))
    used = read_used(session, user_id, PaymentKind.DEPOSIT)
    assert Fraction(used.rolling) == sum(amount for on, amount in taken if on > day - 30)


@given(
    amount=st.decimals("0.00000001", "999999999999.99999999", places=8),
    rate=st.decimals("0.00000001", "999999999999.99999999", places=8),
)
def test_what_is_counted_is_never_less_than_the_worth_nor_a_unit_more(
    amount: Decimal, rate: Decimal
) -> None:
    exact = Fraction(amount) * Fraction(rate)
    assert 0 <= Fraction(counted_at(amount, rate)) - exact < Fraction(1, 10**8)
