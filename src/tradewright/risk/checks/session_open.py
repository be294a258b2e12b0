"""Nothing is dealt outside an instrument's sessions, not even to close; orders may rest."""

from tradewright.core.errors import ErrorCode
from tradewright.risk.model import Denial, OrderFacts


def check(facts: OrderFacts) -> Denial | None:
    """Deny orders that would deal now while the instrument is not traded."""
    if facts.is_resting or facts.is_in_session:
        return None
    return Denial(
        ErrorCode.INSTRUMENT_SESSION_CLOSED,
        f'"{facts.instrument.symbol}" is traded at other times only.',
    )
