"""Margin on the worked examples of the domain rules, and conversion on every way there is."""

from decimal import Decimal, localcontext

import pytest
from msgspec import structs

from tests.floor import market_of, pair
from tradewright.liquidity.instrument import Instrument, MarginTerms, MarginTier
from tradewright.liquidity.market import Rate
from tradewright.risk.margin import (
    Exposure,
    MarginState,
    bound,
    conversion,
    margin_rate,
    margin_state,
    steepest_rate,
    unrealised_pnl,
)
from tradewright.risk.model import ClientClass, HedgedMargin, RiskProfile
from tradewright.risk.regimes import Regime

LOT = Decimal(100_000)
EURUSD, USDJPY, EURGBP = pair("EURUSD"), pair("USDJPY"), pair("EURGBP")


def profile(
    leverage: int = 100,
    currency: str = "USD",
    client_class: ClientClass = ClientClass.PROFESSIONAL,
) -> RiskProfile:
    return RiskProfile(client_class, currency, leverage, Decimal(100), Decimal(50))


def test_one_lot_of_eurusd_up_a_cent_tenth_has_won_a_hundred_dollars() -> None:
    market = market_of({"EURUSD": ("1.10100", "1.10105")})
    exposure = Exposure(EURUSD, LOT, Decimal("1.10000"))
    assert unrealised_pnl(profile(), exposure, market) == Decimal(100)


def test_one_lot_of_usdjpy_up_half_a_yen_has_won_332_dollars() -> None:
    market = market_of({"USDJPY": ("150.500", "150.500")})
    assert market.top("USDJPY") is None  # a locked quote is no price
    market = market_of({"USDJPY": ("150.500", "150.501")})
    exposure = Exposure(USDJPY, LOT, Decimal("150.000"))
    won = unrealised_pnl(profile(), exposure, market)
    assert won is not None
    # 50,000 JPY: 332.2259 at 150.500; a profit is converted at the bid of JPYUSD, 1/150.501.
    assert round(won, 4) == Decimal("332.2237")


def test_a_long_is_valued_at_the_bid_and_a_short_at_the_ask() -> None:
    market = market_of({"EURUSD": ("1.10000", "1.10010")})
    long = Exposure(EURUSD, LOT, Decimal("1.10000"))
    short = Exposure(EURUSD, -LOT, Decimal("1.10000"))
    assert unrealised_pnl(profile(), long, market) == 0
    assert unrealised_pnl(profile(), short, market) == Decimal(-10)


def test_a_profit_is_converted_at_the_bid_and_a_loss_at_the_ask() -> None:
    rate = Rate(Decimal("1.1"), Decimal("1.2"))
    assert conversion(Decimal(1), rate) == Decimal("1.1")
    assert conversion(Decimal(0), rate) == Decimal("1.1")
    assert conversion(Decimal(-1), rate) == Decimal("1.2")
    assert rate.mid == Decimal("1.15")


@pytest.mark.parametrize(
    ("leverage", "client_class", "most"),
    [
        (500, ClientClass.PROFESSIONAL, 500),
        (500, ClientClass.RETAIL, 30),
        (20, ClientClass.RETAIL, 20),
        (1, ClientClass.PROFESSIONAL, 1),
    ],
)
def test_leverage_is_capped_by_account_instrument_and_class(
    leverage: int, client_class: ClientClass, most: int
) -> None:
    with localcontext(prec=60):
        share = 1 / Decimal(most)
    assert margin_rate(profile(leverage, client_class=client_class), EURUSD) == share
    tight = pair("EURUSD", leverage_max=10, leverage_max_retail=2)
    assert margin_rate(profile(leverage, client_class=client_class), tight) >= Decimal("0.1")


@pytest.mark.parametrize(
    ("leverage", "client_class", "share"),
    [
        (500, ClientClass.PROFESSIONAL, "0.02"),
        (500, ClientClass.RETAIL, "0.05"),
        (40, ClientClass.PROFESSIONAL, "0.025"),
        (10, ClientClass.RETAIL, "0.1"),
    ],
)
def test_the_rate_is_the_largest_of_leverage_own_rate_and_minimum(
    leverage: int, client_class: ClientClass, share: str
) -> None:
    """1/500, 1/40 and 1/10 against the house's 2 percent and the regulator's 5 for retail."""
    terms = MarginTerms(rate=Decimal("0.02"), rate_min_retail=Decimal("0.05"))
    asked = profile(leverage, client_class=client_class)
    assert margin_rate(asked, pair("EURUSD", margin=terms)) == Decimal(share)


def test_a_margin_rate_binds_that_share_of_the_notional() -> None:
    """Five percent of one lot at the middle 1.10000."""
    market = market_of({"EURUSD": ("1.09990", "1.10010")})
    instrument = pair("EURUSD", margin=MarginTerms(rate=Decimal("0.05")))
    state = margin_state(profile(500), Decimal(0), [Exposure(instrument, LOT, Decimal(1))], market)
    assert state is not None
    assert state.used == Decimal(5500)


def tiered(*tiers: tuple[int, str]) -> Instrument:
    found = tuple(MarginTier(Decimal(above), Decimal(rate)) for above, rate in tiers)
    return pair("EURUSD", margin=MarginTerms(tiers=found))


TIERS = tiered((1_000_000, "0.02"), (5_000_000, "0.05"))


@pytest.mark.parametrize(
    ("quantity", "binds"),
    [
        (500_000, 5_000),  # all at 1/100
        (1_000_000, 10_000),
        (2_000_000, 30_000),  # and a million at 2 percent
        (6_000_000, 140_000),  # 10,000 + 4 million at 2 percent + a million at 5
    ],
)
def test_each_bracket_of_the_notional_binds_at_its_own_rate(quantity: int, binds: int) -> None:
    market = market_of({"EURUSD": ("1.09990", "1.10010")})
    assert bound(profile(), TIERS, Decimal(quantity)) == binds
    for sign in (1, -1):
        held = [Exposure(TIERS, Decimal(sign * quantity), Decimal(1))]
        state = margin_state(profile(), Decimal(0), held, market)
        assert state is not None
        assert state.used == binds * Decimal("1.1")


def test_a_tier_never_binds_less_than_the_leverage_nor_than_a_lower_tier() -> None:
    falling = tiered((1_000_000, "0.05"), (2_000_000, "0.02"))
    assert bound(profile(), falling, Decimal(3_000_000)) == 10_000 + 2_000_000 * Decimal("0.05")
    assert bound(profile(10), TIERS, Decimal(6_000_000)) == 600_000
    assert steepest_rate(profile(), TIERS, Decimal(1_000_000)) == Decimal("0.01")
    assert steepest_rate(profile(), TIERS, Decimal(1_000_001)) == Decimal("0.02")


@pytest.mark.parametrize(
    ("rule", "binds"),
    [
        (HedgedMargin.SUM, 30_000 + 10_000),  # two million long, a million short
        (HedgedMargin.LARGER_LEG, 30_000),
        (HedgedMargin.NET, 10_000),  # the million that is left begins in the lowest bracket
    ],
)
def test_the_legs_of_a_hedged_pair_fill_the_brackets_each_by_itself(
    rule: HedgedMargin, binds: int
) -> None:
    market = market_of({"EURUSD": ("1.09990", "1.10010")})
    held = [Exposure(TIERS, Decimal(one), Decimal(1)) for one in (1_500_000, -1_000_000, 500_000)]
    rules = RiskProfile(
        ClientClass.PROFESSIONAL, "USD", 100, Decimal(100), Decimal(50), hedged_margin=rule
    )
    state = margin_state(rules, Decimal(0), held, market)
    assert state is not None
    assert state.used == binds * Decimal("1.1")


def test_used_margin_is_the_notional_at_the_middle_over_the_leverage() -> None:
    market = market_of({"EURUSD": ("1.09990", "1.10010"), "USDJPY": ("150.000", "150.010")})
    exposures = [Exposure(EURUSD, LOT, Decimal("1.1")), Exposure(USDJPY, -LOT, Decimal(150))]
    state = margin_state(profile(), Decimal(10_000), exposures, market)
    assert state is not None
    assert state.used == Decimal(1100) + Decimal(1000)
    # Long one pip under water; short a hundredth of a yen under water, converted at the ask.
    assert state.equity == Decimal(10_000) - 10 - 1000 * (1 / Decimal("150.000"))
    assert state.free == state.equity - state.used
    assert state.level == 100 * state.equity / state.used


def test_the_level_of_an_account_without_positions_is_unknown_and_not_zero() -> None:
    state = margin_state(profile(), Decimal(10), [], market_of({}))
    assert state == MarginState(Decimal(10), Decimal(0))
    assert state.level is None


def test_an_account_cannot_be_valued_while_a_price_or_a_rate_is_missing() -> None:
    eurgbp = Exposure(EURGBP, LOT, Decimal("0.88"))
    assert margin_state(profile(), Decimal(10), [eurgbp], market_of({})) is None
    lonely = market_of({"EURGBP": ("0.88000", "0.88010")})
    assert margin_state(profile(), Decimal(10), [eurgbp], lonely) is None
    assert margin_state(profile(currency="GBP"), Decimal(10), [eurgbp], lonely) is not None


def test_rates_are_found_directly_inverted_and_through_the_dollar() -> None:
    market = market_of({"EURUSD": ("1.10000", "1.10010"), "USDJPY": ("150.000", "150.010")})
    assert market.rate("EUR", "EUR") == Rate(Decimal(1), Decimal(1))
    assert market.rate("EUR", "USD") == Rate(Decimal("1.10000"), Decimal("1.10010"))
    assert market.rate("JPY", "USD") == Rate(1 / Decimal("150.010"), 1 / Decimal("150.000"))
    assert market.rate("EUR", "JPY") == Rate(
        Decimal("1.10000") * Decimal("150.000"), Decimal("1.10010") * Decimal("150.010")
    )
    assert market.rate("GBP", "JPY") is None


def test_a_direct_pair_comes_before_the_way_through_the_dollar() -> None:
    prices = {
        "EURUSD": ("1.10000", "1.10010"),
        "GBPUSD": ("1.25000", "1.25010"),
        "EURGBP": ("0.80000", "0.80010"),
    }
    assert market_of(prices).rate("EUR", "GBP") == Rate(Decimal("0.80000"), Decimal("0.80010"))


def test_a_rate_is_never_better_for_selling_than_for_buying() -> None:
    prices = {"EURUSD": ("1.10000", "1.10010"), "USDJPY": ("150.000", "150.010")}
    market = market_of(prices)
    for source in ("EUR", "USD", "JPY"):
        for target in ("EUR", "USD", "JPY"):
            rate = market.rate(source, target)
            assert rate is not None
            assert 0 < rate.bid <= rate.mid <= rate.ask


@pytest.mark.parametrize(
    ("symbol", "percent"),
    [
        ("EURUSD", 2),
        ("USDJPY", 2),
        ("NOKSEK", 2),
        ("AUDNZD", 2),
        ("GBPDKK", 2),
        ("USDMXN", 5),
        ("EURPLN", 5),
        ("TRYZAR", 5),
        ("XAUUSD", 5),
    ],
)
def test_the_nfa_wants_two_percent_of_major_pairs_and_five_of_others(
    symbol: str, percent: int
) -> None:
    """Section 12: 50:1 and 20:1, whatever leverage the account and the instrument have."""
    for client_class in ClientClass:
        rules = structs.replace(profile(500, client_class=client_class), regime=Regime.US)
        assert margin_rate(rules, pair(symbol)) == Decimal(percent) / 100
        small = structs.replace(rules, leverage=10)
        assert margin_rate(small, pair(symbol)) == Decimal("0.1")


def test_under_the_us_regime_the_houses_own_rate_still_holds_and_esmas_minimum_does_not() -> None:
    """The NFA wanted 3 percent in pairs of the pound from 2021: the instrument's own rate."""
    terms = MarginTerms(rate=Decimal("0.03"), rate_min_retail=Decimal("0.2"))
    rules = structs.replace(profile(500, client_class=ClientClass.RETAIL), regime=Regime.US)
    assert margin_rate(rules, pair("GBPUSD", margin=terms)) == Decimal("0.03")
