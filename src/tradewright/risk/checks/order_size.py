"""An order many times as large as the usual ones is a slip of the finger."""

from tradewright.core.errors import ErrorCode
from tradewright.risk.limits import LimitKind, over_limit
from tradewright.risk.model import Denial, OrderFacts


def check(facts: OrderFacts) -> Denial | None:
    """Deny new opening orders far above the median of the last ones."""
    if facts.reduces or (facts.limited is not None and not facts.limited.is_new):
        return None
    return over_limit(
        facts.limited,
        LimitKind.ORDER_SIZE,
        ErrorCode.ORDER_SIZE_UNUSUAL,
        "The multiple of the usual size",
    )
