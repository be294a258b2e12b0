"""An instrument that is halted takes no opening trades; positions may still be reduced."""

from tradewright.core.errors import ErrorCode
from tradewright.risk.model import Denial, OrderFacts


def check(facts: OrderFacts) -> Denial | None:
    """Deny opening trades in a halted instrument."""
    if facts.instrument.is_tradable or facts.reduces:
        return None
    return Denial(
        ErrorCode.INSTRUMENT_NOT_TRADABLE,
        f'Trading in "{facts.instrument.symbol}" is halted.',
    )
