"""A device that several users pay from is suspect."""

from tradewright.payments.model import Finding, History, PaymentRequest

STEPS = ((5, 60), (3, 40), (2, 15))
"""How many users were seen on the device, this one among them, and the points from there on."""


def check(request: PaymentRequest, history: History) -> Finding:  # noqa: ARG001
    """Give points to a device on which other users were seen too."""
    count = history.device_user_count
    points = next((p for count_min, p in STEPS if count >= count_min), 0)
    return Finding(points, {"users": str(count)})
