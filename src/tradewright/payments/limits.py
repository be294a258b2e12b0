"""What users may pay at most: at once, in a UTC day and in 30 times 24 hours, over all currencies.

Limits are in US dollars. What a payment takes of them is counted at the rate of the moment when it
is asked for and kept with it, so what is taken changes with no rate. It counts by when it was asked
for, as long as it is not lost. One that is lost frees its part; a deposit that its provider had
given up and that comes after all is measured again, among the payments around the time when it was
asked for. Callers hold the wallet's lock; the turn taken here lets the user's payments in other
currencies wait too, until the transaction has ended.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal, localcontext

from tradewright.core.errors import ErrorCode, MoneyError, StateError
from tradewright.core.money import AMOUNT_MAX, plain
from tradewright.payments import store
from tradewright.payments.model import (
    Counted,
    Limit,
    Payment,
    PaymentKind,
    PaymentRequest,
    PaymentUser,
    Used,
)
from tradewright.payments.rates import read_rate
from tradewright.payments.rules import require_within_limit
from tradewright.postgres.connect import Session

LIMIT_CURRENCY = "USD"
"""Limits and what is taken of them are in this currency."""

COUNTED_UNIT = Decimal("0.00000001")
"""What a payment takes is rounded up to this much of a dollar, so that no number of small ones is
free."""


@dataclass(frozen=True, slots=True)
class Passed:
    """How money that came unasked is counted, if there was a rate, and what limit it passes."""

    counted: Counted | None
    why: str


def require_limit(
    connection: Session, request: PaymentRequest, user: PaymentUser
) -> tuple[Limit, Counted]:
    """Return the limit and what the payment takes of it, unless it passes the limit.

    Raises:
        MoneyError: PAYMENT_LIMIT_EXCEEDED.
        StateError: EXCHANGE_RATE_MISSING, EXCHANGE_RATE_STALE.

    """
    counted = count(connection, request.currency, request.amount)
    return _require(connection, request, user, counted), counted


def passed_limit(connection: Session, request: PaymentRequest, user: PaymentUser) -> Passed:
    """Count money that is there already, and tell what limit it passes."""
    try:
        counted = count(connection, request.currency, request.amount)
    except (MoneyError, StateError) as refusal:
        return Passed(None, refusal.what)
    try:
        _require(connection, request, user, counted)
    except (MoneyError, StateError) as refusal:
        return Passed(counted, refusal.what)
    return Passed(counted, "")


def passed_limit_again(connection: Session, payment: Payment) -> str:
    """Return what limit a deposit passes that was lost and comes after all, or an empty text."""
    user = store.read_user(connection, payment.user_id)
    if user is None:
        raise AssertionError(payment.user_id)
    request = PaymentRequest(
        payment_id=payment.id,
        user_id=payment.user_id,
        kind=payment.kind,
        currency=payment.currency,
        amount=payment.amount,
    )
    try:
        counted = payment.counted or count(connection, payment.currency, payment.amount)
        _require(connection, request, user, counted, asked_at=payment.created_at)
    except (MoneyError, StateError) as refusal:
        return refusal.what
    return ""


def count_at_last(connection: Session, payment: Payment) -> None:
    """Count a deposit that came while there was no rate, before its money is credited.

    Raises:
        MoneyError: PAYMENT_LIMIT_EXCEEDED when it is more than can be counted.
        StateError: EXCHANGE_RATE_MISSING, EXCHANGE_RATE_STALE.

    """
    if payment.counted is None:
        counted = count(connection, payment.currency, payment.amount)
        store.count_payment(connection, payment.id, counted)


def read_used(
    connection: Session,
    user_id: str,
    kind: PaymentKind,
    *,
    but: str | None = None,
    asked_at: datetime | None = None,
) -> Used:
    """Return what the user's payments of a kind, `but` one, take of the limits, in US dollars.

    `asked_at` is the instant that the day and the 30 days are around, where that is not now. What
    came while there was no rate is counted at the rate of now.

    Raises:
        MoneyError: PAYMENT_LIMIT_EXCEEDED when what came is more than can be counted.
        StateError: EXCHANGE_RATE_MISSING, EXCHANGE_RATE_STALE.

    """
    rows = store.read_used(connection, user_id, kind, but=but, asked_at=asked_at)
    parts = list(_parts(connection, rows))
    return Used(
        sum((day for day, _ in parts), Decimal(0)),
        sum((rolling for _, rolling in parts), Decimal(0)),
    )


def count(connection: Session, currency: str, amount: Decimal) -> Counted:
    """Return what an amount takes of a limit now.

    Raises:
        MoneyError: PAYMENT_LIMIT_EXCEEDED when it is more than can be counted.
        StateError: EXCHANGE_RATE_MISSING, EXCHANGE_RATE_STALE.

    """
    rate = Decimal(1)
    if currency != LIMIT_CURRENCY:
        rate = read_rate(connection, currency, LIMIT_CURRENCY).rate
    taken = counted_at(amount, rate)
    if taken > AMOUNT_MAX:
        raise MoneyError(
            ErrorCode.PAYMENT_LIMIT_EXCEEDED,
            f"{plain(amount)} {currency} are more than {plain(AMOUNT_MAX)} {LIMIT_CURRENCY}",
            why="So much passes every limit.",
            hint="Ask for less.",
        )
    return Counted(rate, taken)


def counted_at(amount: Decimal, rate: Decimal) -> Decimal:
    """Return an amount in US dollars at a rate, rounded up; exact before that."""
    with localcontext(prec=60):
        return (amount * rate).quantize(COUNTED_UNIT, rounding=ROUND_CEILING)


def _require(
    connection: Session,
    request: PaymentRequest,
    user: PaymentUser,
    counted: Counted,
    *,
    asked_at: datetime | None = None,
) -> Limit:
    store.take_turn_at_limit(connection, request.user_id, request.kind)
    limit = store.read_limit(connection, user.kyc_level, request.kind)
    used = read_used(
        connection, request.user_id, request.kind, but=request.payment_id, asked_at=asked_at
    )
    return require_within_limit(request, counted, limit, used)


def _parts(
    connection: Session, rows: list[tuple[str | None, Decimal, Decimal]]
) -> Iterator[tuple[Decimal, Decimal]]:
    """Yield sums of the day and of 30 days in US dollars, of what was counted and what was not."""
    for currency, day, rolling in rows:
        if currency is None:
            yield day, rolling
        else:
            counted = count(connection, currency, rolling)
            yield counted_at(day, counted.rate), counted.amount
