"""The market of a soak: three symbols that walk at random, and jump now and then.

Every engine draws the same quotes from the seed and shows quote number n at the same moment, so
that two engines see one market and an engine that comes back finds it where it is by then.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from tradewright.liquidity.model import Quote

OPENS_AT = datetime(2026, 1, 13, 21, 48, tzinfo=UTC)
"""A Tuesday, twelve minutes before the trading day ends at 17:00 in New York: twelve seconds here.

Engines take some of them to start, and what is held over the end is to be traded before it.
"""

QUOTES_PER_SECOND = 60
QUOTE_STEP = timedelta(seconds=1)
"""How much later each quote is than the one before, by the market's own time."""

STEP_TICKS_MAX = 4
JUMP_EVERY = 120
JUMP_TICKS = (60, 900)
"""A jump passes stops, protections and margin levels, or all that an account has."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A symbol of the soak: where it opens, in ticks, and how wide it is quoted."""

    symbol: str
    tick: Decimal
    opening: int
    spread: int


LISTED = (
    Listed("EURUSD", Decimal("0.00001"), 116_500, 6),
    Listed("GBPUSD", Decimal("0.00001"), 134_500, 9),
    Listed("USDJPY", Decimal("0.001"), 158_000, 8),
)


def quotes(seed: int) -> Iterator[Quote]:
    """Yield the market's quotes without end; bid below ask, and time never stands still."""
    random = Random(f"{seed}/market")  # noqa: S311 (a load, not a secret)
    bids = [listed.opening for listed in LISTED]
    number = 0
    while True:
        place = number % len(LISTED)
        listed = LISTED[place]
        bids[place] = _moved(random, bids[place], listed.opening)
        yield Quote(
            listed.symbol,
            bids[place] * listed.tick,
            (bids[place] + listed.spread) * listed.tick,
            OPENS_AT + number * QUOTE_STEP,
        )
        number += 1


def _moved(random: Random, bid: int, opening: int) -> int:
    """Return the next bid; a price that has wandered off is drawn back to where it opened."""
    step = random.randint(-STEP_TICKS_MAX, STEP_TICKS_MAX)
    if random.randrange(JUMP_EVERY) == 0:
        size = random.randint(*JUMP_TICKS)
        step = size if bid < opening else -size
    return bid + step
