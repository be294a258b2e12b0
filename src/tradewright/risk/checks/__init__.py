"""The checks before a trade, one file each, asked in this order; the first denial wins.

They are asked inside the booking transaction, under the account's lock, so that nothing can change
between the check and the act. Each module has one function `check`: a Denial, or None.
"""

from collections.abc import Callable

from tradewright.risk.checks import (
    account_active,
    instrument_tradable,
    margin,
    price_fresh,
    protection_side,
    quantity_max,
    rate_known,
    session_open,
)
from tradewright.risk.model import Denial, OrderFacts

CHECKS: tuple[Callable[[OrderFacts], Denial | None], ...] = (
    account_active.check,
    instrument_tradable.check,
    session_open.check,
    price_fresh.check,
    protection_side.check,
    rate_known.check,
    quantity_max.check,
    margin.check,
)
"""Every check in the order in which it is asked: the cheap and the certain first."""


def first_denial(facts: OrderFacts) -> Denial | None:
    """Return the first check's denial, or None when the order may be taken."""
    for check in CHECKS:
        denial = check(facts)
        if denial is not None:
            return denial
    return None
