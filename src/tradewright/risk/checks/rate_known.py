"""No rate, no trade: results and margin must be convertible into the account's currency."""

from tradewright.core.errors import ErrorCode
from tradewright.risk.model import Denial, OrderFacts


def check(facts: OrderFacts) -> Denial | None:
    """Deny orders that would deal, or bind margin, now while a conversion rate is missing."""
    if facts.rates is not None or facts.only_rests:
        return None
    instrument = facts.instrument
    return Denial(
        ErrorCode.ORDER_RATE_MISSING,
        f"No tradable pair converts {instrument.base_currency} or {instrument.quote_currency} "
        "into the account's currency, or the swap that is due has no rate.",
    )
