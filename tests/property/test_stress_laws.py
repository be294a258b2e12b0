"""Laws of stress: no move changes nothing, equity is linear in a move, and the cases of history."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.floor import market_of, pair
from tradewright.liquidity.asset_class import AssetClass
from tradewright.liquidity.market import Market
from tradewright.risk.margin import Exposure, margin_state
from tradewright.risk.model import ClientClass, RiskProfile
from tradewright.risk.stress import CASES, AccountOutcome, BookedAccount, Scenario, outcome

PRICES = {"EURUSD": ("1.10000", "1.10020"), "GBPUSD": ("1.25000", "1.25040")}
FIGURES = st.integers(-50, 50).map(lambda lots: Decimal(lots * 10_000))


def profile(client_class: ClientClass = ClientClass.RETAIL) -> RiskProfile:
    return RiskProfile(client_class, "USD", 30, Decimal(100), Decimal(50))


def account(eur: Decimal, gbp: Decimal, balance: str = "10000") -> BookedAccount:
    opened = {"EURUSD": (eur, Decimal("1.09")), "GBPUSD": (gbp, Decimal("1.26"))}
    exposures = tuple(
        Exposure(pair(symbol), quantity, price)
        for symbol, (quantity, price) in opened.items()
        if quantity
    )
    return BookedAccount(id="A", profile=profile(), balance=Decimal(balance), exposures=exposures)


def moved(scenario: Scenario, prices: dict[str, tuple[str, str]]) -> Market:
    after = {
        symbol: tuple(
            str(one) for one in scenario.shocked(pair(symbol), Decimal(bid), Decimal(ask))
        )
        for symbol, (bid, ask) in prices.items()
    }
    return market_of(
        {symbol: (bid, ask) for symbol, (bid, ask) in after.items()}, takes_any_price=True
    )


def equity(found: AccountOutcome) -> Decimal:
    assert found.after is not None
    return found.after.equity


@given(eur=FIGURES, gbp=FIGURES)
def test_no_move_leaves_everything_as_the_engine_sees_it(eur: Decimal, gbp: Decimal) -> None:
    one, market = account(eur, gbp), market_of(PRICES)
    found = outcome(one, market, moved(Scenario(name="none"), PRICES))
    seen = margin_state(one.profile, one.balance, one.exposures, market)
    assert found.before == found.after == seen


@given(eur=FIGURES, gbp=FIGURES, percent=st.integers(-40, 40))
def test_equity_is_linear_in_the_move(eur: Decimal, gbp: Decimal, percent: int) -> None:
    """In the quote currency nothing is converted, so twice the move is twice the change."""
    one, market = account(eur, gbp), market_of(PRICES)

    def after(share: Decimal) -> Decimal:
        scenario = Scenario(name="x", symbols={"EURUSD": share, "GBPUSD": share})
        return equity(outcome(one, market, moved(scenario, PRICES)))

    share, none = Decimal(percent) / 100, after(Decimal(0))
    assert after(2 * share) - none == 2 * (after(share) - none)


@given(eur=FIGURES, gbp=FIGURES, factor=st.integers(1, 50))
def test_wider_spreads_never_help(eur: Decimal, gbp: Decimal, factor: int) -> None:
    one, market = account(eur, gbp), market_of(PRICES)
    wide = moved(Scenario(name="x", spread_factor=Decimal(factor)), PRICES)
    assert equity(outcome(one, market, wide)) <= equity(outcome(one, market, market))


def test_the_day_of_the_franc_leaves_a_retail_client_below_zero_at_the_houses_expense() -> None:
    """Long 100,000 EURCHF at 1.2010 with 5,000 CHF: 0.8500 loses 35,100, and 30,100 are missing."""
    prices = {"EURCHF": ("1.20099", "1.20101")}
    case = CASES["snb-2015"]
    swiss = RiskProfile(ClientClass.RETAIL, "CHF", 20, Decimal(100), Decimal(50))
    one = BookedAccount(
        id="A",
        profile=swiss,
        balance=Decimal(5000),
        exposures=(Exposure(pair("EURCHF"), Decimal(100_000), Decimal("1.2010")),),
    )
    found = outcome(one, market_of(prices), moved(case, prices))
    assert (found.is_called, found.is_stopped_out) == (True, True)
    assert found.negative.quantize(Decimal(1)) == Decimal(30_120)  # 20 more for the spread
    assert found.forgiven == found.negative


def test_a_professional_client_is_forgiven_nothing() -> None:
    one = account(Decimal(500_000), Decimal(0))
    one = BookedAccount(
        id="A",
        profile=profile(ClientClass.PROFESSIONAL),
        balance=one.balance,
        exposures=one.exposures,
    )
    scenario = Scenario(name="x", symbols={"EURUSD": Decimal("-0.1")})
    found = outcome(one, market_of(PRICES), moved(scenario, PRICES))
    assert found.negative > 0
    assert found.forgiven == 0


def test_a_negative_price_is_valued_and_does_not_break_the_margin() -> None:
    """WTI on 20 April 2020: 1,000 barrels bought at 18.27 lose 55,900 down to -37.63."""
    prices = {"WTIUSD": ("18.26", "18.28")}
    one = BookedAccount(
        id="A",
        profile=profile(),
        balance=Decimal(10_000),
        exposures=(Exposure(pair("WTIUSD"), Decimal(1000), Decimal("18.27")),),
    )
    found = outcome(one, market_of(prices), moved(CASES["wti-2020"], prices))
    assert found.after is not None
    assert found.after.used > 0
    assert round(found.after.equity) == 10_000 - 55_900 - 100


def test_a_symbols_own_move_wins_and_a_currency_moves_against_all_others() -> None:
    scenario = Scenario(
        name="x", symbols={"EURUSD": Decimal("0.5")}, currencies={"USD": Decimal("0.25")}
    )
    assert scenario.share(pair("EURUSD")) == Decimal("0.5")
    assert scenario.share(pair("GBPUSD")) == Decimal("-0.2")
    assert scenario.share(pair("USDJPY")) == Decimal("0.25")
    assert scenario.share(pair("EURGBP")) == 0


def test_a_class_moves_as_a_whole_but_for_symbols_with_a_move_of_their_own() -> None:
    """GBPJPY is a pair of two major currencies, EURNOK is not."""
    scenario = Scenario(
        name="x",
        symbols={"EURUSD": Decimal("0.5")},
        classes={AssetClass.FX_MAJOR: Decimal("-0.1"), AssetClass.FX_MINOR: Decimal(0)},
        currencies={"GBP": Decimal("-0.5"), "NOK": Decimal("-0.5")},
    )
    assert scenario.share(pair("EURUSD")) == Decimal("0.5")
    assert scenario.share(pair("GBPJPY")) == Decimal("-0.1")
    assert scenario.share(pair("EURNOK")) == 0
    assert scenario.share(pair("GBPXAU", asset_class=AssetClass.GOLD)) == Decimal("-0.5")


def test_every_case_names_its_source() -> None:
    assert all(case.source for case in CASES.values())
    assert sorted(CASES) == ["btc-2020", "gbp-flash-2016", "shares-2020", "snb-2015", "wti-2020"]
