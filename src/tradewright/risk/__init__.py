"""What an account may risk: margin, the checks before a trade, and when the house steps in.

Pure decisions over values; nothing here reads a database. `model` has the values, `margin` the
formulas, `checks/` one file for each check in the order in which they are asked.
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
