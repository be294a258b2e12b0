"""How a quantity is spread over the providers' levels: in their order, never more than quoted."""

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from tradewright.liquidity.model import Level, Side


class Allocation(Struct, frozen=True):
    """A part of an order that one provider's level can take."""

    level: Level
    quantity: Decimal


def allocate(
    levels: Sequence[Level], side: Side, quantity: Decimal, limit_price: Decimal | None
) -> list[Allocation]:
    """Spread `quantity` over `levels` in their order as far as sizes and the limit allow.

    The sum may be less than `quantity`. A level worse than `limit_price` is never used, nor one
    that takes no less than more than is left.
    """
    allocations: list[Allocation] = []
    leaves = quantity
    for level in levels:
        if leaves <= 0:
            break
        if limit_price is not None and (level.price - limit_price) * side.sign > 0:
            continue
        part = min(leaves, level.size)
        if part < level.quantity_min:
            continue
        allocations.append(Allocation(level, part))
        leaves -= part
    return allocations


def beyond(allocations: Sequence[Allocation], quantity: Decimal) -> list[Allocation]:
    """Return what is left of allocations after the first `quantity` of them.

    Of an order that is divided, the providers deal the first part and the house the rest, so
    that both together come to the price of the whole.
    """
    left: list[Allocation] = []
    for part in allocations:
        taken = min(quantity, part.quantity)
        quantity -= taken
        if part.quantity > taken:
            left.append(Allocation(part.level, part.quantity - taken))
    return left
