"""A bound on slippage works alike for both sides, and what is better than it is the client's."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.floor import DAY, PAIRS, order
from tests.property.test_watchers_miss_nothing import HOUSE, open_account
from tradewright.liquidity.board import QuoteBoard
from tradewright.liquidity.market import Market
from tradewright.liquidity.model import ProviderQuote, Side
from tradewright.risk.model import ClientClass
from tradewright.trading.decide import decide
from tradewright.trading.groups import STANDARD, AccountGroup
from tradewright.trading.model import OrderReport, OrderType, TimeInForce
from tradewright.trading.reference import Reference
from tradewright.trading.state import Desk

TICK = Decimal("0.00001")
MIRROR = Decimal("2.20000")
CODES = ("LP-ONE", "LP-TWO", "LP-THREE")
REFERENCE = Reference(
    version=1,
    instruments={pair.symbol: pair for pair in PAIRS},
    groups={STANDARD: AccountGroup(code=STANDARD)},
    provider_ids={code: code for code in CODES},
    provider_priorities={code: place for place, code in enumerate(CODES)},
    disabled_providers=frozenset(),
    house={"USD": HOUSE},
)
Quote = tuple[int, int, int]
"""A provider's mid and half spread in ticks from 1.10000, and its size in thousands."""

quotes = st.lists(
    st.tuples(st.integers(-20, 20), st.integers(1, 15), st.integers(1, 40)), min_size=1, max_size=3
)


def market(drawn: list[Quote], *, is_mirrored: bool) -> Market:
    made = Market(QuoteBoard(priorities=REFERENCE.provider_priorities))
    made.advance(DAY)
    for code, (mid, half, size) in zip(CODES, drawn, strict=False):
        middle = Decimal("1.10000") + mid * TICK
        if is_mirrored:
            middle = MIRROR - middle
        made.update(
            ProviderQuote(
                provider=code,
                symbol="EURUSD",
                bid=middle - half * TICK,
                ask=middle + half * TICK,
                bid_size=Decimal(size * 1_000),
                ask_size=Decimal(size * 1_000),
                quoted_at=DAY,
                sequence=1,
            )
        )
    return made


def dealt(made: Market, side: Side, quantity: int, fields: dict[str, Any]) -> Any:
    """Submit one order; return its state and its fills as (quantity, price)."""
    account = open_account("USD", 500, ClientClass.PROFESSIONAL, "1000000")
    desk = Desk(
        market=made,
        reference=REFERENCE,
        accounts={account.id: account},
        orders={},
        orders_by_key={},
        wallets={},
        entries_before={},
    )
    (report,) = decide(desk, [order(account.id, side, quantity * 1_000, **fields)])
    assert isinstance(report, OrderReport)
    return report.status, [(row[2], row[3]) for row in desk.changes.fills]


@given(
    drawn=quotes,
    quantity=st.integers(1, 100),
    side=st.sampled_from(Side),
    tolerance=st.integers(-10, 40),
    is_limit=st.booleans(),
    is_whole=st.booleans(),
)
def test_a_mirrored_market_fills_a_mirrored_order_alike(
    *,
    drawn: list[Quote],
    quantity: int,
    side: Side,
    tolerance: int,
    is_limit: bool,
    is_whole: bool,
) -> None:
    here, there = market(drawn, is_mirrored=False), market(drawn, is_mirrored=True)
    levels = here.levels("EURUSD", side)
    bound = levels[0].price + tolerance * TICK * side.sign
    fields: dict[str, Any] = {
        "order_type": OrderType.LIMIT if is_limit else OrderType.MARKET,
        "time_in_force": TimeInForce.FOK if is_whole else TimeInForce.IOC,
    }
    status, fills = dealt(here, side, quantity, fields | {"limit_price": bound})
    mirrored = fields | {"limit_price": MIRROR - bound}
    status_there, fills_there = dealt(there, side.opposite, quantity, mirrored)
    assert status == status_there
    assert fills == [(one, MIRROR - price) for one, price in fills_there]
    # The client gets each level's own price: nothing of an improvement is kept.
    within = [level for level in levels if (level.price - bound) * side.sign <= 0]
    assert [price for _, price in fills] == [level.price for level in within[: len(fills)]]
    total, there_is = sum(one for one, _ in fills), sum(level.size for level in within)
    asked = Decimal(quantity * 1_000)
    expected = min(asked, there_is) if not is_whole or there_is >= asked else Decimal(0)
    assert total == expected
