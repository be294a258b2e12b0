"""Who has lost enough for a day opens nothing more, and may close."""

from tradewright.core.errors import ErrorCode
from tradewright.risk.limits import LimitKind, over_limit
from tradewright.risk.model import Denial, OrderFacts


def check(facts: OrderFacts) -> Denial | None:
    """Deny opening orders after a loss of the day above the limit."""
    if facts.reduces:
        return None
    return over_limit(
        facts.limited, LimitKind.DAILY_LOSS, ErrorCode.ORDER_DAILY_LOSS_REACHED, "The day's loss"
    )
