"""An amount far above what the user usually pays is suspect."""

from tradewright.payments.model import Finding, History, PaymentRequest

SUCCEEDED_COUNT_MIN = 3
"""With fewer payments than this there is no habit that an amount could break."""

STEPS = ((10, 40), (5, 25), (3, 10))
"""How many times the average, and the points from there on."""


def check(request: PaymentRequest, history: History) -> Finding:  # noqa: ARG001
    """Give points to an amount far above the user's average of this kind, both in US dollars."""
    amount, average = history.amount, history.amount_average
    if amount is None or average is None or history.succeeded_count < SUCCEEDED_COUNT_MIN:
        return Finding(0, {})
    points = next((p for factor, p in STEPS if amount >= average * factor), 0)
    return Finding(points, {"amount_usd": f"{amount:f}", "average_usd": f"{average:.8f}"})
