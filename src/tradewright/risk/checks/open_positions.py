"""An account has no more positions open than it may."""

from tradewright.core.errors import ErrorCode
from tradewright.risk.limits import LimitKind, over_limit
from tradewright.risk.model import Denial, OrderFacts


def check(facts: OrderFacts) -> Denial | None:
    """Deny orders that would open a position beyond the count."""
    if facts.reduces or facts.is_resting:
        return None
    return over_limit(
        facts.limited,
        LimitKind.OPEN_POSITIONS,
        ErrorCode.POSITION_COUNT_EXCEEDED,
        "The number of open positions",
    )
