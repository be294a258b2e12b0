"""Who has lost too much since the best moment opens nothing more, and may close."""

from tradewright.core.errors import ErrorCode
from tradewright.risk.limits import LimitKind, over_limit
from tradewright.risk.model import Denial, OrderFacts


def check(facts: OrderFacts) -> Denial | None:
    """Deny opening orders after a drawdown above the limit."""
    if facts.reduces:
        return None
    return over_limit(
        facts.limited, LimitKind.DRAWDOWN, ErrorCode.ORDER_DRAWDOWN_REACHED, "The drawdown"
    )
