"""Laws of the house under stress: no move changes nothing, and who is lost pays nothing."""

from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import structs

from tests.floor import market_of, pair
from tests.property.test_stress_laws import PRICES, moved
from tradewright.liquidity.instrument import Instrument
from tradewright.risk.stress import CASES, Scenario, Together, moved_together
from tradewright.risk.stress_house import (
    House,
    HouseOutcome,
    LostProvider,
    house_outcome,
    unhedged,
    value,
)

LOTS = st.integers(-50, 50).map(lambda lots: Decimal(lots * 10_000))
PERCENTS = st.integers(-40, 40).map(lambda percent: Decimal(percent) / 100)
EUR, GBP = pair("EURUSD"), pair("GBPUSD")
FUNDS = Decimal(1_000_000)
NONE = Decimal(0)


def house(eur: Decimal, gbp: Decimal = NONE, *lost: LostProvider) -> House:
    return House(
        currency="USD",
        held=((EUR, eur), (GBP, gbp)),
        lost=lost,
        own_funds=FUNDS,
        required=Decimal(800_000),
    )


def after(one: House, scenario: Scenario) -> HouseOutcome:
    return house_outcome(one, market_of(PRICES), moved(scenario, PRICES), {})


def move(eur: Decimal, gbp: Decimal = NONE) -> Scenario:
    return Scenario(name="x", symbols={"EURUSD": eur, "GBPUSD": gbp})


def pnl(one: House, scenario: Scenario) -> Decimal:
    found = after(one, scenario).pnl
    assert found is not None
    return found


@given(eur=LOTS, gbp=LOTS)
def test_no_move_and_nobody_lost_leaves_the_house_as_it_is(eur: Decimal, gbp: Decimal) -> None:
    found = after(house(eur, gbp), Scenario(name="none"))
    assert (found.pnl, found.provider_loss, found.forgiven) == (NONE, NONE, NONE)
    assert found.unhedged == found.unhedged_before
    assert (found.capital, found.ratio, found.shortfall) == (FUNDS, Decimal(125), NONE)


@given(eur=LOTS, gbp=LOTS, by=PERCENTS)
def test_losing_a_provider_without_positions_that_owes_nothing_changes_nothing(
    eur: Decimal, gbp: Decimal, by: Decimal
) -> None:
    with_all, without = house(eur, gbp), house(eur, gbp, LostProvider())
    assert after(with_all, move(by)) == after(without, move(by))


@given(eur=LOTS, by=PERCENTS)
def test_the_houses_result_is_linear_in_the_move(eur: Decimal, by: Decimal) -> None:
    one = house(eur)
    assert pnl(one, move(2 * by)) == 2 * pnl(one, move(by))


@given(eur=LOTS, there=LOTS, owed=st.integers(-10_000, 10_000), by=PERCENTS)
def test_a_lost_provider_never_helps_and_its_side_is_open_again(
    eur: Decimal, there: Decimal, owed: int, by: Decimal
) -> None:
    lost = LostProvider(Decimal(owed), ((EUR, there),))
    found, before = after(house(eur, NONE, lost), move(by)), after(house(eur), move(by))
    assert found.capital is not None
    assert before.capital is not None
    assert found.capital <= before.capital
    assert found.unhedged == after(house(eur - there), move(by)).unhedged


def test_a_hedge_that_is_lost_leaves_the_client_to_the_house() -> None:
    """Clients long 100,000 EURUSD, all passed on: 10 percent up are 11,001 USD that nobody pays."""
    lost = LostProvider(Decimal(500), ((EUR, Decimal(100_000)),))
    found = after(house(NONE, NONE, lost), move(Decimal("0.1")))
    assert (found.pnl, found.unhedged_before) == (NONE, NONE)
    assert found.provider_loss == Decimal(11_001) + 500
    assert found.unhedged == Decimal("121011.00")
    assert found.capital == FUNDS - 11_501
    down = after(house(NONE, NONE, lost), move(Decimal("-0.1")))
    assert down.provider_loss == 0, "then the house owes it"


def test_capital_below_what_is_required_is_told_as_a_shortfall() -> None:
    found = after(house(Decimal(-10_000_000)), move(Decimal("0.1")))
    assert found.pnl == Decimal(-1100100)
    assert (found.capital, found.shortfall) == (Decimal(-100_100), Decimal(900_100))
    assert found.ratio == Decimal("-12.5125")


def test_what_is_forgiven_is_taken_from_the_capital_and_needs_a_rate() -> None:
    market = market_of(PRICES)
    found = house_outcome(house(NONE), market, market, {"EUR": Decimal(1000)})
    assert found.forgiven == Decimal("1100.10")
    unknown = house_outcome(house(NONE), market, market, {"CHF": Decimal(1)})
    assert (unknown.forgiven, unknown.capital, unknown.shortfall) == (None, None, None)


def values(one: House) -> list[tuple[Instrument, Decimal]]:
    return [(held[0], value(held, market_of(PRICES), "USD") or NONE) for held in one.held]


@given(eur=LOTS, gbp=LOTS, by=PERCENTS, other=PERCENTS)
def test_prices_that_move_together_move_by_the_largest_share_against_the_house(
    eur: Decimal, gbp: Decimal, by: Decimal, other: Decimal
) -> None:
    one = house(eur, gbp)
    asked = structs.replace(move(by, other), together=Together.ALL)
    found = moved_together(asked, values(one))
    (share,) = set(found.symbols.values())
    assert abs(share) == max(abs(by), abs(other))
    assert pnl(one, found) <= pnl(one, move(-share, -share))


@given(by=PERCENTS)
def test_a_class_moves_together_and_leaves_the_others_alone(by: Decimal) -> None:
    assume(by)
    gold = pair("XAUUSD")
    asked = Scenario(name="x", symbols={"EURUSD": by}, together=Together.CLASS)
    long, short = (EUR, Decimal(1)), (gold, Decimal(-1))
    found = moved_together(asked, [long, (GBP, NONE), short])
    assert found.symbols == {"EURUSD": -abs(by), "GBPUSD": -abs(by), "XAUUSD": 0}


def test_without_a_move_nothing_moves_together() -> None:
    asked = Scenario(name="none", together=Together.ALL)
    assert set(moved_together(asked, values(house(Decimal(5)))).symbols.values()) == {NONE}


def test_the_house_falls_through_a_negative_price_with_all_prices_together() -> None:
    """WTI on 20 April 2020: no price may break the figures, however far below zero it goes."""
    oil = pair("WTIUSD")
    one = House(
        currency="EUR", held=((oil, Decimal(1000)), (EUR, Decimal(1))), own_funds=Decimal(1)
    )
    prices = {**PRICES, "WTIUSD": ("18.26", "18.28")}
    for case in (CASES["wti-2020"], structs.replace(CASES["wti-2020"], together=Together.ALL)):
        scenario = case
        if case.together:
            scenario = moved_together(case, [(oil, Decimal(18_270)), (EUR, Decimal(1))])
        found = house_outcome(one, market_of(prices), moved(scenario, prices), {})
        assert (found.pnl is None) == (found.capital is None)
    dollars = structs.replace(one, currency="USD")
    found = house_outcome(dollars, market_of(prices), moved(CASES["wti-2020"], prices), {})
    assert found.pnl == Decimal(-55_900)
    assert [net for _, net in unhedged(dollars)] == [1000, 1]
