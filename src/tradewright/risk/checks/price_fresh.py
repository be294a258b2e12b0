"""Nothing is dealt on an old price: an order that would deal now needs a tradable quote."""

from tradewright.core.errors import ErrorCode
from tradewright.risk.model import Denial, OrderFacts


def check(facts: OrderFacts) -> Denial | None:
    """Deny orders that would deal, or bind margin, now while no provider has a fresh quote."""
    if facts.reference_price is not None or facts.only_rests:
        return None
    return Denial(
        ErrorCode.ORDER_PRICE_STALE,
        f'No provider has a quote for "{facts.instrument.symbol}" that is fresh enough.',
    )
