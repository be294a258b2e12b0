"""In which order the levels of a symbol are dealt on: by price here, by score in `routing`.

The same order holds for what the house deals and for what it passes on, so a client's price does
not depend on the book.
"""

import json
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Protocol

from tradewright.liquidity.model import Level, Side

_BPS = Decimal(10_000)
_QUANTUM = Decimal("0.0001")


class Ranking(Protocol):
    """Puts levels, which come best price first, in the order in which they are dealt on."""

    def rank(self, levels: Sequence[Level], side: Side, mid: Decimal) -> list[Level]:
        """Return the levels that may be dealt on, the first one first."""
        ...

    def explain(self, levels: Sequence[Level], side: Side, mid: Decimal) -> str:
        """Return every level with its score as JSON text, in their order."""
        ...


class ByPrice:
    """The order of prices."""

    def rank(
        self,
        levels: Sequence[Level],
        side: Side,  # noqa: ARG002 (what the protocol asks for)
        mid: Decimal,  # noqa: ARG002
    ) -> list[Level]:
        """Return the levels as they come."""
        return list(levels)

    def explain(self, levels: Sequence[Level], side: Side, mid: Decimal) -> str:
        """Return each level with its distance from the middle."""
        return json.dumps(
            [
                {
                    "provider": level.provider,
                    "price": f"{level.price:f}",
                    "size": f"{level.size:f}",
                    "score_bps": f"{distance_bps(level, side, mid):f}",
                }
                for level in levels
            ]
        )


def distance_bps(level: Level, side: Side, mid: Decimal) -> Decimal:
    """Return how much worse than the middle a level is for a client of `side`, to four decimals."""
    distance = (level.price - mid) * side.sign / mid * _BPS
    return distance.quantize(_QUANTUM, rounding=ROUND_HALF_EVEN)
