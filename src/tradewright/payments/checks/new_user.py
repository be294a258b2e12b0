"""Users of less than a day are watched, more when money leaves."""

from datetime import timedelta

from tradewright.payments.model import Finding, History, PaymentKind, PaymentRequest

NEW_USER_AGE = timedelta(days=1)


def check(request: PaymentRequest, history: History) -> Finding:
    """Give points to users of less than a day, more when money leaves."""
    if history.user_age >= NEW_USER_AGE:
        return Finding(0, {})
    points = 20 if request.kind is PaymentKind.WITHDRAWAL else 10
    return Finding(points, {"hours_since_opening": str(history.user_age // timedelta(hours=1))})
