"""An account has no more orders resting than it may."""

from tradewright.core.errors import ErrorCode
from tradewright.risk.limits import LimitKind, over_limit
from tradewright.risk.model import Denial, OrderFacts


def check(facts: OrderFacts) -> Denial | None:
    """Deny orders that would rest beyond the count."""
    if facts.limited is not None and not facts.limited.is_new:
        return None
    return over_limit(
        facts.limited,
        LimitKind.OPEN_ORDERS,
        ErrorCode.ORDER_COUNT_EXCEEDED,
        "The number of open orders",
    )
