"""When the house hedges and by how much: it begins above the limit and stops at the target.

Domain rule 1.7: if |N| > limit, a hedge of |N| - target on the side that offsets N. The gap between
limit and target is the hysteresis: a hedge that has begun goes on to the target, and the next one
begins only above the limit again. Pure.
"""

from decimal import Decimal

from msgspec import Struct

from tradewright.liquidity.model import Side
from tradewright.routing.model import Policy


class Wanted(Struct, frozen=True):
    """A hedge that is wanted: its side offsets the exposure, its quantity is on the step."""

    side: Side
    quantity: Decimal
    exposure: Decimal
    limit: Decimal
    target: Decimal


def wanted_hedge(
    policy: Policy | None, exposure: Decimal, step: Decimal, *, has_begun: bool
) -> Wanted | None:
    """Return the hedge that an exposure asks for, or None.

    `has_begun` says that a hedge has brought it below the limit and not yet to the target. What
    is less than a step above the target is left.
    """
    if policy is None or policy.exposure_limit is None or policy.hedge_target is None:
        return None
    size, target = abs(exposure), policy.hedge_target
    if size <= (target if has_begun else policy.exposure_limit):
        return None
    over = size - target
    quantity = over - over % step
    if not quantity:
        return None
    side = Side.SELL if exposure > 0 else Side.BUY
    return Wanted(side, quantity, exposure, policy.exposure_limit, target)
