"""Many payments from one network address within an hour are suspect."""

from tradewright.payments.model import Finding, History, PaymentRequest

STEPS = ((20, 60), (5, 30))
"""How many payments of all users in the hour before, and the points from there on."""


def check(request: PaymentRequest, history: History) -> Finding:  # noqa: ARG001
    """Give points to an address from which many payments were asked for within an hour."""
    count = history.ip_payments_last_hour
    points = next((p for count_min, p in STEPS if count >= count_min), 0)
    return Finding(points, {"payments": str(count)})
