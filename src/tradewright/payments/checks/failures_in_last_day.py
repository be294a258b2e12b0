"""Repeated failures are suspect: somebody is trying what passes."""

from tradewright.payments.model import Finding, History, PaymentRequest

STEPS = ((5, 40), (3, 20))
"""How many failures of the day before, and the points from there on."""


def check(request: PaymentRequest, history: History) -> Finding:  # noqa: ARG001
    """Give points to repeated failures."""
    count = history.failures_last_day
    points = next((p for count_min, p in STEPS if count >= count_min), 0)
    return Finding(points, {"failures": str(count)})
