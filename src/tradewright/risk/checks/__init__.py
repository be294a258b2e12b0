"""The checks before a trade, one file each, asked in this order; the first denial wins.

They are asked inside the booking transaction, under the account's lock, so that nothing can change
between the check and the act. Each module has one function `check`: a Denial, or None.
"""

from tradewright.risk.checks import (
    account_active,
    instrument_tradable,
    margin,
    price_fresh,
    protection_side,
    quantity_max,
    rate_known,
)
from tradewright.risk.model import Denial, OrderFacts

CHECKS = (
    account_active,
    instrument_tradable,
    quantity_max,
    price_fresh,
    protection_side,
    rate_known,
    margin,
)
"""Every check in the order in which it is asked: the cheap and the certain first."""


def first_denial(facts: OrderFacts) -> Denial | None:
    """Return the first check's denial, or None when the order may be taken."""
    for module in CHECKS:
        denial = module.check(facts)
        if denial is not None:
            return denial
    return None
