"""How much of a position a stop-out closes when it closes no more than it must (smart stop-out).

The other way, which closes whole positions, the largest loss first, needs no arithmetic. Both stop
as soon as the level is restored.
"""

from decimal import ROUND_CEILING, Decimal
from enum import StrEnum

from tradewright.risk.margin import HUNDRED, MarginState


class StopOutMode(StrEnum):
    """What a stop-out closes: the largest loss whole, or just enough of the largest margin."""

    LARGEST_LOSS = "largest_loss"
    SMART = "smart"


def quantity_to_close(
    state: MarginState,
    target_level: Decimal,
    *,
    held: Decimal,
    step: Decimal,
    margin_of_step: Decimal,
) -> Decimal:
    """Return the smallest multiple of `step` of a position whose closing restores the level.

    That is ceil((used - 100 * equity / target) / margin of a step) steps, because closing at the
    prices that equity is valued at leaves equity as it is; at most the whole position, which may
    not be enough.
    """
    over = state.used - HUNDRED * state.equity / target_level
    steps = (over / margin_of_step).to_integral_value(ROUND_CEILING)
    return min(held, max(step, steps * step))
