"""While a circuit breaker is triggered or cools down nothing is opened, and reducing passes."""

from tradewright.core.errors import ErrorCode
from tradewright.risk.model import Denial, OrderFacts


def check(facts: OrderFacts) -> Denial | None:
    """Deny orders that open while a circuit breaker has stopped the instrument, or all."""
    if facts.breaker is None or facts.reduces:
        return None
    breaker = facts.breaker
    return Denial(
        ErrorCode.BREAKER_TRIGGERED,
        f"Circuit breaker {breaker.code} is {breaker.state.replace('_', ' ')}: {breaker.reason}.",
    )
