"""What users may pay at most: at once, in a UTC day and in 30 times 24 hours, by currency.

A payment counts by when it was asked for, as long as it is not lost. One that is lost frees its
part; a deposit that its provider had given up and that comes after all is measured again, among
the payments around the time when it was asked for. Callers hold the wallet's lock.
"""

from datetime import datetime
from decimal import ROUND_DOWN

from tradewright.core.errors import MoneyError, StateError
from tradewright.core.money import minor_unit
from tradewright.payments import store
from tradewright.payments.model import Limit, Payment, PaymentRequest, PaymentUser
from tradewright.payments.rates import read_rate
from tradewright.payments.rules import require_within_limit
from tradewright.postgres.connect import Session

LIMIT_CURRENCY = "USD"
"""Limits of a currency that has none of its own are measured in this one."""


def require_limit(
    connection: Session,
    request: PaymentRequest,
    user: PaymentUser,
    *,
    asked_at: datetime | None = None,
) -> Limit:
    """Return the limit, unless the payment passes it; `asked_at` is given when it is not now.

    Raises:
        MoneyError: PAYMENT_LIMIT_EXCEEDED.
        StateError: EXCHANGE_RATE_MISSING, EXCHANGE_RATE_STALE.

    """
    limit = store.read_limit(connection, user.kyc_level, request.kind, request.currency)
    if limit is None:
        limit = _converted_limit(connection, request, user)
    used = store.read_used(connection, request, asked_at=asked_at)
    return require_within_limit(request, limit, used)


def passed_limit(
    connection: Session, request: PaymentRequest, user: PaymentUser, asked_at: datetime | None
) -> str:
    """Return what limit money that is there already passes, or an empty text."""
    try:
        require_limit(connection, request, user, asked_at=asked_at)
    except (MoneyError, StateError) as refusal:
        return refusal.what
    return ""


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
    return passed_limit(connection, request, user, payment.created_at)


def _converted_limit(
    connection: Session, request: PaymentRequest, user: PaymentUser
) -> Limit | None:
    """Measure the limit of a currency that has none of its own, at a fresh rate."""
    limit = store.read_limit(connection, user.kyc_level, request.kind, LIMIT_CURRENCY)
    if limit is None:
        return None
    rate = read_rate(connection, request.currency, LIMIT_CURRENCY).rate
    unit = minor_unit(request.currency)
    amount_max, daily_max, rolling_max = (
        (each / rate).quantize(unit, rounding=ROUND_DOWN)
        for each in (limit.amount_max, limit.daily_max, limit.rolling_max)
    )
    return Limit(amount_max, daily_max, rolling_max)
