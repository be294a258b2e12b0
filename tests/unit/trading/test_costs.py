"""Conversion of results and the forms of commission, on worked examples."""

from decimal import Decimal

import pytest

from tests.floor import market_of, pair
from tradewright.liquidity.market import Rate
from tradewright.risk.margin import conversion
from tradewright.trading.commissions import (
    CommissionForm,
    CommissionTerms,
    TermsBook,
    TermsKey,
    commission,
    terms_for,
)
from tradewright.trading.positions import booked

EURUSD = pair("EURUSD", commission_per_million=Decimal(35))
AT_ONE = Rate(Decimal(1), Decimal(1))


def terms(form: CommissionForm, rate: str, minimum: str = "0") -> CommissionTerms:
    return CommissionTerms(form=form, rate=Decimal(rate), currency="USD", minimum=Decimal(minimum))


def test_one_lot_of_eurusd_up_ten_pips_is_a_hundred_dollars() -> None:
    result = (Decimal("1.10100") - Decimal("1.10000")) * 100_000
    assert booked(result, AT_ONE, "USD") == (Decimal(1), Decimal("100.00"))


def test_one_lot_of_usdjpy_up_half_a_yen_is_332_dollars_23() -> None:
    result = (Decimal("150.50") - Decimal("150.00")) * 100_000
    rate = Rate(1 / Decimal("150.50"), 1 / Decimal("150.50"))
    assert round(result * conversion(result, rate), 4) == Decimal("332.2259")
    assert booked(result, rate, "USD") == (Decimal("0.006644518272"), Decimal("332.23"))


@pytest.mark.parametrize(("result", "money"), [("1000", "1000.00"), ("-1000", "-1002.00")])
def test_a_profit_is_converted_at_the_bid_and_a_loss_at_the_ask(result: str, money: str) -> None:
    rate = Rate(Decimal(1), Decimal("1.002"))
    assert booked(Decimal(result), rate, "USD")[1] == Decimal(money)


def test_a_result_is_rounded_half_to_even() -> None:
    assert booked(Decimal("0.125"), AT_ONE, "USD")[1] == Decimal("0.12")
    assert booked(Decimal("0.135"), AT_ONE, "USD")[1] == Decimal("0.14")
    assert booked(Decimal("2.5"), AT_ONE, "JPY")[1] == 2


def test_a_bridged_rate_takes_the_worse_side_of_both_pairs() -> None:
    market = market_of({"GBPUSD": ("1.25000", "1.25010"), "USDJPY": ("150.000", "150.010")})
    rate = market.rate("JPY", "GBP")
    assert rate is not None
    assert rate.bid == 1 / Decimal("150.010") * (1 / Decimal("1.25010"))
    assert rate.ask == 1 / Decimal("150.000") * (1 / Decimal("1.25000"))
    # 100,000 JPY won buy fewer pounds than 100,000 JPY lost cost.
    won, lost = booked(Decimal(100_000), rate, "GBP")[1], booked(Decimal(-100_000), rate, "GBP")[1]
    assert (won, lost) == (Decimal("533.26"), Decimal("-533.33"))


@pytest.mark.parametrize(
    ("asked", "quantity", "cost"),
    [
        (terms(CommissionForm.PER_LOT, "3.50"), "250000", "8.75"),
        (terms(CommissionForm.PER_LOT, "3.50"), "-10000", "0.35"),
        (terms(CommissionForm.BPS, "0.2"), "100000", "2.20"),
        (terms(CommissionForm.PER_MILLION, "35"), "100000", "3.85"),
        (terms(CommissionForm.BPS, "0.2", minimum="1"), "1000", "1"),
        (terms(CommissionForm.BPS, "0.2", minimum="1"), "100000", "2.20"),
    ],
)
def test_each_form_of_commission_on_eurusd_at_1_10(
    asked: CommissionTerms, quantity: str, cost: str
) -> None:
    rates = Decimal("1.10"), Decimal(1)
    assert commission(asked, EURUSD, Decimal(quantity), rates) == Decimal(cost)


def test_money_of_the_terms_is_converted_and_a_share_of_notional_is_not() -> None:
    rates = Decimal(1), Decimal("0.9")  # an account in EUR, terms in USD
    lot = commission(terms(CommissionForm.PER_LOT, "10"), EURUSD, Decimal(100_000), rates)
    share = commission(terms(CommissionForm.BPS, "1"), EURUSD, Decimal(100_000), rates)
    least = commission(terms(CommissionForm.BPS, "0", minimum="2"), EURUSD, Decimal(1000), rates)
    assert (lot, share, least) == (Decimal(9), Decimal(10), Decimal("1.8"))


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [
        ([("pro", "EURUSD"), ("pro", None), (None, "EURUSD")], ("pro", "EURUSD")),
        ([("pro", None), (None, "EURUSD"), ("other", "EURUSD")], ("pro", None)),
        ([(None, "EURUSD"), ("other", None), ("pro", "GBPUSD")], (None, "EURUSD")),
    ],
)
def test_the_most_particular_terms_hold(keys: list[TermsKey], chosen: TermsKey) -> None:
    book: TermsBook = {
        key: terms(CommissionForm.BPS, str(place + 1)) for place, key in enumerate(keys)
    }
    assert terms_for(book, "pro", EURUSD, "USD") is book[chosen]


def test_without_terms_the_instruments_own_price_holds() -> None:
    assert terms_for({}, "pro", EURUSD, "EUR") == CommissionTerms(
        form=CommissionForm.PER_MILLION, rate=Decimal(35), currency="EUR"
    )
