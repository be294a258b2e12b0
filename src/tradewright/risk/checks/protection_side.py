"""Stop-loss and take-profit stand on their own sides of the market.

A take-profit is beyond the price that the order deals at; a stop-loss is beyond the price at which
the position could be closed at once, or it would be reached in the moment of its opening.
"""

from decimal import Decimal

from tradewright.core.errors import ErrorCode
from tradewright.risk.model import Denial, OrderFacts


def check(facts: OrderFacts) -> Denial | None:
    """Deny a stop-loss on the profit side, or a take-profit on the loss side."""
    price = facts.reference_price
    if price is None:
        return None
    sign, closing = facts.side.sign, facts.closing_price
    for name, level, stands_by, wanted in (
        ("stop-loss", facts.stop_loss, price if closing is None else closing, -sign),
        ("take-profit", facts.take_profit, price, sign),
    ):
        if level is not None and (level - stands_by) * wanted <= 0:
            return _denial(name, level, stands_by, wanted)
    return None


def _denial(name: str, level: Decimal, price: Decimal, wanted: int) -> Denial:
    side = "above" if wanted > 0 else "below"
    return Denial(
        ErrorCode.ORDER_PROTECTION_ON_WRONG_SIDE,
        f"The {name} {level} must be {side} the price {price}.",
    )
