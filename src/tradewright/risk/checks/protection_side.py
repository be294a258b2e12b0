"""Stop-loss and take-profit stand on their own sides of the price that the order deals at."""

from decimal import Decimal

from tradewright.core.errors import ErrorCode
from tradewright.risk.model import Denial, OrderFacts


def check(facts: OrderFacts) -> Denial | None:
    """Deny a stop-loss on the profit side, or a take-profit on the loss side."""
    price = facts.reference_price
    if price is None:
        return None
    sign = facts.side.sign
    for name, level, wanted in (
        ("stop-loss", facts.stop_loss, -sign),
        ("take-profit", facts.take_profit, sign),
    ):
        if level is not None and (level - price) * wanted <= 0:
            return _denial(name, level, price, wanted)
    return None


def _denial(name: str, level: Decimal, price: Decimal, wanted: int) -> Denial:
    side = "above" if wanted > 0 else "below"
    return Denial(
        ErrorCode.ORDER_PROTECTION_ON_WRONG_SIDE,
        f"The {name} {level} must be {side} the price {price}.",
    )
