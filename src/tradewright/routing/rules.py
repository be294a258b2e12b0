"""How a quantity is spread over the providers' levels: best price first, never more than quoted."""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from tradewright.liquidity.model import Level, Side


class Book(StrEnum):
    """A: passed on to a provider; B: the house is the counterparty. Set per account."""

    A = "A"
    B = "B"


class Allocation(Struct, frozen=True):
    """A part of an order that one provider's level can take."""

    level: Level
    quantity: Decimal


def allocate(
    levels: Sequence[Level], side: Side, quantity: Decimal, limit_price: Decimal | None
) -> list[Allocation]:
    """Spread `quantity` over `levels` (best first) as far as their sizes and the limit allow.

    The sum may be less than `quantity`. A level worse than `limit_price` is never used.
    """
    allocations: list[Allocation] = []
    leaves = quantity
    for level in levels:
        if leaves <= 0:
            break
        if limit_price is not None and (level.price - limit_price) * side.sign > 0:
            break
        part = min(leaves, level.size)
        allocations.append(Allocation(level, part))
        leaves -= part
    return allocations
