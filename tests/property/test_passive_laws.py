"""Whatever providers quote meanwhile, no request for an order with a price is worse than that."""

from datetime import timedelta
from decimal import Decimal
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from tests.floor import AGE_MAX, DAY
from tradewright.core.ids import new_id_text
from tradewright.liquidity.board import QuoteBoard
from tradewright.liquidity.market import Market
from tradewright.liquidity.model import ProviderAnswer, ProviderQuote, ProviderRequest, Side
from tradewright.trading.dispatch import ask_in_turn
from tradewright.trading.state import RoutedOrder

CODES = ("LP-ONE", "LP-TWO", "LP-THREE")
TICK = Decimal("0.00001")
ticks = st.integers(109_990, 110_010)
quotes = st.lists(st.tuples(st.sampled_from(CODES), ticks), min_size=1, max_size=12)


def offer(market: Market, number: int, code: str, price: int, side: Side) -> None:
    """Let a provider quote `price` to whom would deal on a side."""
    bid = price if side is Side.SELL else price - 1
    size = Decimal(40_000)
    prices = bid * TICK, (bid + 1) * TICK
    market.update(ProviderQuote(code, "EURUSD", *prices, size, size, market.now, number))


def rejected(code: str, request: ProviderRequest) -> ProviderAnswer:
    return ProviderAnswer(
        request_id=request.request_id,
        provider=code,
        accepted=False,
        price=None,
        quantity=Decimal(0),
        hold_ms=0,
        decided_at=request.requested_at,
        reason="declined",
        execution_id=new_id_text(),
    )


@given(quotes, quotes, ticks, st.sampled_from(Side))
def test_a_provider_is_asked_at_its_own_quote_and_never_beyond_the_orders_price(
    before: list[tuple[str, int]], meanwhile: list[tuple[str, int]], limit: int, side: Side
) -> None:
    market = Market(QuoteBoard(AGE_MAX))
    market.advance(DAY)
    for number, (code, price) in enumerate(before):
        offer(market, number, code, price, side)
    order = RoutedOrder(
        new_id_text(), new_id_text(), "EURUSD", side, Decimal(100_000), limit * TICK, False, 1
    )
    asking, news = ask_in_turn(order, market), iter(enumerate(meanwhile, len(before)))
    asked = next(asking, None)
    while asked is not None:
        code, request = asked
        assert request.limit_price is not None
        assert (request.limit_price - limit * TICK) * side.sign <= 0
        quoted = {one.provider: one.price for one in market.levels("EURUSD", side)}
        assert request.limit_price == quoted[code]
        assert not request.is_all_or_nothing
        market.advance(market.now + timedelta(milliseconds=1))
        for number, (changed, price) in islice(news, 4):
            offer(market, number, changed, price, side)
        try:
            asked = asking.send(rejected(code, request))
        except StopIteration:
            asked = None
