"""Money that leaves soon after it came, and was never traded with, is suspect."""

from datetime import timedelta

from tradewright.payments.model import Finding, History, PaymentKind, PaymentRequest

FRESH_DEPOSIT_AGE = timedelta(hours=1)
RECENT_DEPOSIT_AGE = timedelta(days=1)


def check(request: PaymentRequest, history: History) -> Finding:
    """Give points to money that leaves soon after it came and was never traded with."""
    age = history.deposit_age
    if request.kind is not PaymentKind.WITHDRAWAL or age is None or history.has_traded_since:
        return Finding(0, {})
    points = 45 if age < FRESH_DEPOSIT_AGE else 30 if age < RECENT_DEPOSIT_AGE else 0
    return Finding(points, {"minutes_since_deposit": str(age // timedelta(minutes=1))})
