"""No single order is worth too much (RTS 6, article 15: maximum order value)."""

from tradewright.core.errors import ErrorCode
from tradewright.risk.limits import LimitKind, over_limit
from tradewright.risk.model import Denial, OrderFacts


def check(facts: OrderFacts) -> Denial | None:
    """Deny opening orders above the largest value."""
    if facts.reduces:
        return None
    return over_limit(
        facts.limited, LimitKind.ORDER_VALUE, ErrorCode.ORDER_VALUE_EXCEEDED, "The order's value"
    )
