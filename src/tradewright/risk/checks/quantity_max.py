"""No single order exceeds the instrument's largest quantity (RTS 6, article 15: maximum volume)."""

from tradewright.core.errors import ErrorCode
from tradewright.risk.limits import LimitKind, over_limit
from tradewright.risk.model import Denial, OrderFacts


def check(facts: OrderFacts) -> Denial | None:
    """Deny opening orders above the largest quantity; a position may be closed whole."""
    largest = facts.instrument.quantity_max
    if facts.reduces:
        return None
    if facts.quantity <= largest:
        return over_limit(
            facts.limited,
            LimitKind.ORDER_QUANTITY,
            ErrorCode.ORDER_QUANTITY_OUT_OF_RANGE,
            "The order's quantity",
        )
    return Denial(
        ErrorCode.ORDER_QUANTITY_OUT_OF_RANGE,
        f"{facts.quantity} are asked for, {largest:f} are the most for one order.",
    )
