"""A network address that many users pay from is suspect."""

from tradewright.payments.model import Finding, History, PaymentRequest

STEPS = ((10, 45), (5, 20))
"""How many users were seen at the address, this one among them, and the points from there on.

A household or an office shares one; a farm of accounts does too."""


def check(request: PaymentRequest, history: History) -> Finding:  # noqa: ARG001
    """Give points to an address at which many users were seen."""
    count = history.ip_user_count
    points = next((p for count_min, p in STEPS if count >= count_min), 0)
    return Finding(points, {"users": str(count)})
