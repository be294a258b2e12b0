"""Many payments within an hour are suspect, whatever became of them."""

from tradewright.payments.model import Finding, History, PaymentRequest

STEPS = ((10, 60), (5, 35), (3, 15))
"""How many payments of the hour before, and the points from there on."""


def check(request: PaymentRequest, history: History) -> Finding:  # noqa: ARG001
    """Give points to many payments within an hour, whatever became of them."""
    count = history.payments_last_hour
    points = next((p for count_min, p in STEPS if count >= count_min), 0)
    return Finding(points, {"payments": str(count)})
