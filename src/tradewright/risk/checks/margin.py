"""An order is taken if the account's free margin after it would not be below zero.

A trade that only reduces a position always passes. Resting orders are asked when they trigger,
and on arrival too where they bind margin while they rest.
"""

from tradewright.core.errors import ErrorCode
from tradewright.risk.model import Denial, OrderFacts


def check(facts: OrderFacts) -> Denial | None:
    """Deny opening trades that the account cannot carry."""
    if (facts.reduces or facts.is_resting) and not facts.binds_at_rest:
        return None
    free = facts.free_margin_after()
    if free >= 0:
        return None
    return Denial(
        ErrorCode.ORDER_MARGIN_INSUFFICIENT,
        f"The free margin after the trade would be {free:.2f}.",
    )
