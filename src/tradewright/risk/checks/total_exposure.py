"""An account has no more at stake in all symbols than it may."""

from tradewright.core.errors import ErrorCode
from tradewright.risk.limits import LimitKind, over_limit
from tradewright.risk.model import Denial, OrderFacts


def check(facts: OrderFacts) -> Denial | None:
    """Deny opening trades that would put too much at stake."""
    if facts.reduces or facts.is_resting:
        return None
    return over_limit(
        facts.limited,
        LimitKind.TOTAL_EXPOSURE,
        ErrorCode.ORDER_TOTAL_EXPOSURE_EXCEEDED,
        "The exposure in all symbols",
    )
