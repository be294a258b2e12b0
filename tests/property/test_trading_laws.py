"""Laws of netting, allocation and margin that hold for every sequence of fills."""

from decimal import Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as st

from tests.floor import DAY, PAIRS, market_of
from tradewright.liquidity.model import Level, Side
from tradewright.risk.margin import Exposure, margin_state
from tradewright.risk.model import ClientClass, HedgedMargin, RiskProfile
from tradewright.routing.rules import allocate
from tradewright.trading.rules import average_price_after, split_fill

HALF_QUANTUM = Decimal("0.000000005")

quantities = st.integers(1, 1_000).map(lambda steps: Decimal(steps * 1_000))
signed_quantities = st.tuples(quantities, st.sampled_from([1, -1])).map(
    lambda pair: pair[0] * pair[1]
)
prices = st.decimals("0.5", "2", places=5)
fills = st.lists(st.tuples(signed_quantities, prices), min_size=1, max_size=30)
sides = st.sampled_from(Side)


DUST = Decimal("1e-20")
"""What the last digits may differ by where the same terms are added in another order."""


@given(fills, prices)
def test_position_is_the_sum_of_fills_and_profit_is_what_the_money_says(
    history: list[tuple[Decimal, Decimal]], now: Decimal
) -> None:
    quantity, average, realised, slack = Decimal(0), Decimal(1), Decimal(0), Decimal(0)
    opened: list[Decimal] = []
    with localcontext(prec=60):
        for filled, price in history:
            split = split_fill(quantity, filled)
            assert split.closes + split.opens == filled
            assert abs(split.closes) <= abs(quantity)
            assert split.closes * quantity <= 0
            assert (quantity + split.closes) * split.opens >= 0
            realised += (average - price) * split.closes
            quantity += split.closes
            if split.opens:
                opened = opened if quantity else []
                average = average_price_after(quantity, average, split.opens, price)
                quantity += split.opens
                opened.append(price)
                slack += HALF_QUANTUM * abs(quantity)
                assert min(opened) <= average <= max(opened)
        assert quantity == sum(filled for filled, _ in history)
        paid = sum(-filled * price for filled, price in history)
        assert abs(realised + (now - average) * quantity - (paid + quantity * now)) <= slack


@given(st.lists(st.tuples(prices, quantities), max_size=6), sides, quantities, st.none() | prices)
def test_an_allocation_takes_the_best_prices_within_size_and_limit(
    offers: list[tuple[Decimal, Decimal]], side: Side, quantity: Decimal, limit: Decimal | None
) -> None:
    levels = sorted(
        (Level(f"LP-{n}", price, size, DAY) for n, (price, size) in enumerate(offers)),
        key=lambda level: level.price * side.sign,
    )
    parts = allocate(levels, side, quantity, limit)
    within = [one for one in levels if limit is None or (one.price - limit) * side.sign <= 0]
    assert sum(part.quantity for part in parts) == min(quantity, sum(one.size for one in within))
    assert all(0 < part.quantity <= part.level.size for part in parts)
    assert [part.level for part in parts] == within[: len(parts)]
    for part in parts[:-1]:
        assert part.quantity == part.level.size


bids = st.tuples(*[st.decimals("0.9", "1.4", places=5)] * 3, st.decimals(90, 180, places=3))
exposures = st.lists(
    st.builds(
        Exposure,
        instrument=st.sampled_from(PAIRS),
        quantity=signed_quantities,
        average_price=st.decimals("0.8", "170", places=3),
    ),
    max_size=5,
)
leverages = st.integers(1, 500)


def used(
    leverage: int,
    held: list[Exposure],
    drawn: tuple[Decimal, ...],
    rule: HedgedMargin = HedgedMargin.SUM,
) -> Decimal:
    quoted = zip(PAIRS, drawn, strict=True)
    market = market_of(
        {pair.symbol: (str(bid), str(bid + pair.price_tick)) for pair, bid in quoted}
    )
    levels = Decimal(100), Decimal(50)
    profile = RiskProfile(ClientClass.PROFESSIONAL, "USD", leverage, *levels, rule)
    with localcontext(prec=60):
        state = margin_state(profile, Decimal(0), held, market)
    assert state is not None
    return state.used


@given(bids, exposures, leverages)
def test_used_margin_is_the_sum_of_its_positions_and_never_negative(
    drawn: tuple[Decimal, ...], held: list[Exposure], leverage: int
) -> None:
    whole = used(leverage, held, drawn)
    assert whole >= 0
    with localcontext(prec=60):
        assert whole == sum((used(leverage, [one], drawn) for one in held), Decimal(0))


@given(bids, exposures, leverages, leverages)
def test_more_leverage_never_uses_more_margin(
    drawn: tuple[Decimal, ...], held: list[Exposure], one: int, other: int
) -> None:
    assert used(max(one, other), held, drawn) <= used(min(one, other), held, drawn)


@given(bids, exposures.filter(bool), leverages, st.data())
def test_closing_a_part_never_uses_more_margin(
    drawn: tuple[Decimal, ...], held: list[Exposure], leverage: int, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(held) - 1))
    one = held[place]
    closed = data.draw(st.integers(0, int(abs(one.quantity)) // 1_000)) * 1_000
    left = one.quantity - closed * (1 if one.quantity > 0 else -1)
    smaller = list(held)
    smaller[place] = Exposure(one.instrument, left, one.average_price)
    assert used(leverage, smaller, drawn) <= used(leverage, held, drawn)


@given(bids, exposures, leverages)
def test_a_hedged_pair_never_binds_more_than_its_legs_nor_less_than_what_is_left(
    drawn: tuple[Decimal, ...], held: list[Exposure], leverage: int
) -> None:
    by_sum, larger, net = (used(leverage, held, drawn, rule) for rule in HedgedMargin)
    assert 0 <= net <= larger + DUST
    assert larger <= by_sum + DUST


@given(bids, exposures, leverages)
def test_taken_net_a_pair_binds_what_one_netted_position_would(
    drawn: tuple[Decimal, ...], held: list[Exposure], leverage: int
) -> None:
    """Net margin is that of the netting fill sequence."""
    netted: dict[str, Exposure] = {}
    for one in held:
        before = netted.get(one.instrument.symbol)
        quantity = one.quantity + (before.quantity if before else 0)
        netted[one.instrument.symbol] = Exposure(one.instrument, quantity, one.average_price)
    found = used(leverage, held, drawn, HedgedMargin.NET)
    assert abs(found - used(leverage, list(netted.values()), drawn)) < Decimal("1e-40")


@given(bids, exposures.filter(bool), leverages, st.data())
def test_closing_a_part_never_binds_more_of_the_larger_leg(
    drawn: tuple[Decimal, ...], held: list[Exposure], leverage: int, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(held) - 1))
    left = [one for number, one in enumerate(held) if number != place]
    rule = HedgedMargin.LARGER_LEG
    assert used(leverage, left, drawn, rule) <= used(leverage, held, drawn, rule)
