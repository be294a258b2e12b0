"""Money that leaves from a device the user was never seen on before, or hides, is suspect."""

from datetime import timedelta

from tradewright.payments.model import Finding, History, PaymentKind, PaymentRequest

NEW_DEVICE_AGE = timedelta(days=1)


def check(request: PaymentRequest, history: History) -> Finding:
    """Give points to a withdrawal from a device first seen less than a day ago, or hidden."""
    age = history.device_age
    if request.kind is PaymentKind.WITHDRAWAL and history.hides_device:
        return Finding(25, {"device": "none named, though others were seen"})
    if request.kind is not PaymentKind.WITHDRAWAL or age is None or age >= NEW_DEVICE_AGE:
        return Finding(0, {})
    return Finding(25, {"minutes_on_device": str(age // timedelta(minutes=1))})
