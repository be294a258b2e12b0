"""An account trades while it and its owner are active; closing what is open is always allowed."""

from tradewright.core.errors import ErrorCode
from tradewright.risk.model import Denial, OrderFacts


def check(facts: OrderFacts) -> Denial | None:
    """Deny opening trades of an account that is not active."""
    if facts.account_is_active or facts.reduces:
        return None
    return Denial(ErrorCode.ACCOUNT_NOT_ACTIVE, "The account or its owner is suspended or closed.")
