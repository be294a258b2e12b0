"""How much of a position a stop-out closes when it closes no more than it must (smart stop-out).

The other way, which closes whole positions, the largest loss first, needs no arithmetic. Both stop
as soon as the level is restored.
"""

from bisect import bisect_left
from collections.abc import Callable
from decimal import Decimal
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
    freed: Callable[[Decimal], Decimal],
) -> Decimal:
    """Return the smallest multiple of `step` of a position whose closing restores the level.

    `freed` says what closing a quantity frees, and never falls with it. It must be used - 100 *
    equity / target or more, because closing at the prices that equity is valued at leaves equity
    as it is; at most the whole position, which may not be enough.
    """
    over = state.used - HUNDRED * state.equity / target_level
    fewer = range(1, int(held / step))
    steps = 1 + bisect_left(fewer, over, key=lambda count: freed(count * step))
    return min(held, steps * step)
