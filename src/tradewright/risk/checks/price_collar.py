"""A price far from the market is a slip of the finger (RTS 6, article 15: price collars)."""

from tradewright.core.errors import ErrorCode
from tradewright.risk.limits import LimitKind, over_limit
from tradewright.risk.model import Denial, OrderFacts


def check(facts: OrderFacts) -> Denial | None:
    """Deny orders at a price too far from the middle."""
    if facts.limited is not None and not facts.limited.is_new:
        return None
    return over_limit(
        facts.limited,
        LimitKind.PRICE_COLLAR,
        ErrorCode.ORDER_PRICE_OUTSIDE_COLLAR,
        "The distance from the middle in basis points",
    )
