"""What an account may risk: margin, the checks before a trade, and when the house steps in.

`model` has the values, `margin` the formulas, `limits` what an account may do at the most, and
`checks/` one file for each check in the order in which they are asked; all of these are pure.
`store` keeps the limits.
"""

from tradewright.risk.checks import first_denial
from tradewright.risk.margin import (
    Exposure,
    MarginState,
    closing_price,
    conversion,
    margin_rate,
    margin_state,
)
from tradewright.risk.model import ClientClass, Denial, OrderFacts, RiskProfile

__all__ = [
    "ClientClass",
    "Denial",
    "Exposure",
    "MarginState",
    "OrderFacts",
    "RiskProfile",
    "closing_price",
    "conversion",
    "first_denial",
    "margin_rate",
    "margin_state",
]
