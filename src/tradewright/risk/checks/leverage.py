"""All positions together stay within a multiple of what the account is worth."""

from tradewright.core.errors import ErrorCode
from tradewright.risk.limits import LimitKind, over_limit
from tradewright.risk.model import Denial, OrderFacts


def check(facts: OrderFacts) -> Denial | None:
    """Deny opening trades that would raise the leverage above its cap."""
    if facts.reduces or facts.is_resting:
        return None
    return over_limit(
        facts.limited, LimitKind.LEVERAGE, ErrorCode.ORDER_LEVERAGE_EXCEEDED, "The leverage"
    )
