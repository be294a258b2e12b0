"""While trading is halted nothing is opened, and everything may be reduced (RTS 6, article 12)."""

from tradewright.core.errors import ErrorCode
from tradewright.risk.model import Denial, OrderFacts


def check(facts: OrderFacts) -> Denial | None:
    """Deny orders that open while a halt is in force for them."""
    if facts.halt is None or facts.reduces:
        return None
    target = facts.halt.target
    place = f"{target.scope} {target.name}" if target.name else "all"
    return Denial(
        ErrorCode.TRADING_HALTED,
        f"Trading is {facts.halt.mode.replace('_', '-')} for {place}: {facts.halt.reason}.",
    )
