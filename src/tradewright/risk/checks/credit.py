"""The house stands behind a net open position up to the credit that it gives.

Measured by the shorthand method of the Basel framework (MAR40): the larger of what the account is
long and short of, over all currencies.
"""

from tradewright.core.errors import ErrorCode
from tradewright.risk.limits import LimitKind, over_limit
from tradewright.risk.model import Denial, OrderFacts


def check(facts: OrderFacts) -> Denial | None:
    """Deny opening trades beyond the net open position."""
    if facts.reduces or facts.is_resting:
        return None
    return over_limit(
        facts.limited,
        LimitKind.NET_OPEN_POSITION,
        ErrorCode.ORDER_CREDIT_EXCEEDED,
        "The net open position",
    )
