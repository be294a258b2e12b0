"""An account has no more at stake in one symbol than it may."""

from tradewright.core.errors import ErrorCode
from tradewright.risk.limits import LimitKind, over_limit
from tradewright.risk.model import Denial, OrderFacts


def check(facts: OrderFacts) -> Denial | None:
    """Deny opening trades that would put too much into the symbol."""
    if facts.reduces or facts.is_resting:
        return None
    return over_limit(
        facts.limited,
        LimitKind.SYMBOL_EXPOSURE,
        ErrorCode.ORDER_SYMBOL_EXPOSURE_EXCEEDED,
        "The exposure in the symbol",
    )
