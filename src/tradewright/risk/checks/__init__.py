"""The checks before a trade, one file each, asked in this order; the first denial wins.

They are asked inside the booking transaction, under the account's lock, so that nothing can change
between the check and the act. Each module has one function `check`: a Denial, or None.
"""

from collections.abc import Callable

from tradewright.risk.checks import (
    account_active,
    breaker,
    credit,
    daily_loss,
    drawdown,
    instrument_tradable,
    leverage,
    margin,
    message_rate,
    open_orders,
    open_positions,
    order_size,
    order_value,
    price_collar,
    price_fresh,
    protection_side,
    quantity_max,
    rate_known,
    session_open,
    symbol_exposure,
    total_exposure,
    trading_halted,
)
from tradewright.risk.model import Denial, OrderFacts

Check = Callable[[OrderFacts], Denial | None]

CHECKS: tuple[Check, ...] = (
    account_active.check,
    trading_halted.check,
    instrument_tradable.check,
    session_open.check,
    price_fresh.check,
    protection_side.check,
    rate_known.check,
    price_collar.check,
    quantity_max.check,
    order_value.check,
    order_size.check,
    open_orders.check,
    open_positions.check,
    symbol_exposure.check,
    total_exposure.check,
    daily_loss.check,
    drawdown.check,
    leverage.check,
    margin.check,
    breaker.check,
    message_rate.check,
    credit.check,
)
"""Every check in the order in which it is asked."""

ALWAYS_ASKED: tuple[Check, ...] = (
    account_active.check,
    trading_halted.check,
    instrument_tradable.check,
    session_open.check,
    price_fresh.check,
    protection_side.check,
    rate_known.check,
    quantity_max.check,
    margin.check,
    breaker.check,
)
"""The checks that do not live by a limit, in the same order."""


ASKED_AGAIN: tuple[Check, ...] = (
    account_active.check,
    trading_halted.check,
    instrument_tradable.check,
    session_open.check,
    breaker.check,
)
"""The checks that ask nothing about prices, limits or margin, in the same order."""


def first_denial(facts: OrderFacts) -> Denial | None:
    """Return the first check's denial, or None when the order may be taken."""
    for check in CHECKS if facts.limited is not None else ALWAYS_ASKED:
        denial = check(facts)
        if denial is not None:
            return denial
    return None


def first_denial_again(facts: OrderFacts) -> Denial | None:
    """Return why an order that was taken before may not go on; None when it may."""
    for check in ASKED_AGAIN:
        denial = check(facts)
        if denial is not None:
            return denial
    return None
