"""How a quantity is spread over the providers' levels."""

from decimal import Decimal

from tests.floor import DAY
from tradewright.liquidity.model import Level, Side
from tradewright.routing.rules import Allocation, allocate

NEAR = Level("LP-ONE", Decimal("1.10010"), Decimal(1000), DAY)
FAR = Level("LP-TWO", Decimal("1.10020"), Decimal(5000), DAY)


def spread(quantity: int, limit: str | None = None, side: Side = Side.BUY) -> list[Allocation]:
    levels = [NEAR, FAR] if side is Side.BUY else [FAR, NEAR]
    return allocate(levels, side, Decimal(quantity), None if limit is None else Decimal(limit))


def test_the_best_price_is_used_up_before_the_next() -> None:
    assert spread(400) == [Allocation(NEAR, Decimal(400))]
    assert spread(1000) == [Allocation(NEAR, Decimal(1000))]
    assert spread(1001) == [Allocation(NEAR, Decimal(1000)), Allocation(FAR, Decimal(1))]


def test_no_more_than_quoted_is_used() -> None:
    assert sum(part.quantity for part in spread(9000)) == 6000


def test_a_level_beyond_the_limit_is_never_used() -> None:
    assert [part.level for part in spread(9000, "1.10019")] == [NEAR]
    assert [part.level for part in spread(9000, "1.10020")] == [NEAR, FAR]
    assert spread(9000, "1.10009") == []
    assert [part.level for part in spread(9000, "1.10011", Side.SELL)] == [FAR]


def test_nothing_is_spread_over_nothing() -> None:
    assert allocate([], Side.BUY, Decimal(1), None) == []
    assert spread(0) == []
