"""An account sends no more orders than it may (RTS 6, article 15: maximum messages)."""

from tradewright.core.errors import ErrorCode
from tradewright.risk.limits import LimitKind, over_limit
from tradewright.risk.model import Denial, OrderFacts


def check(facts: OrderFacts) -> Denial | None:
    """Deny new opening orders and replacements beyond the count of a second."""
    if facts.reduces or (facts.limited is not None and not facts.limited.is_new):
        return None
    return over_limit(
        facts.limited,
        LimitKind.MESSAGE_RATE,
        ErrorCode.ORDER_MESSAGE_RATE_EXCEEDED,
        "The number of orders in a second",
    )
