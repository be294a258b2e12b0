"""No single order exceeds the instrument's largest quantity (RTS 6, article 15: maximum volume)."""

from tradewright.core.errors import ErrorCode
from tradewright.risk.model import Denial, OrderFacts


def check(facts: OrderFacts) -> Denial | None:
    """Deny opening orders above the largest quantity; a position may be closed whole."""
    largest = facts.instrument.quantity_max
    if facts.reduces or facts.quantity <= largest:
        return None
    return Denial(
        ErrorCode.ORDER_QUANTITY_OUT_OF_RANGE,
        f"{facts.quantity} are asked for, {largest:f} are the most for one order.",
    )
