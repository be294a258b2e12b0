"""Margin rates of instruments: set once, they hold for orders, levels and withdrawals alike."""

from decimal import Decimal

import pytest

from tests.floor import Floor, ask, buy, deal, refusal
from tradewright.core.errors import ErrorCode
from tradewright.core.ids import new_id_text
from tradewright.risk.model import ClientClass
from tradewright.trading.margin_terms import set_margin_rates
from tradewright.trading.model import Direction, MoveMoney, OrderStatus
from tradewright.trading.reference import read_instruments

PROFESSIONAL = ClientClass.PROFESSIONAL


def set_rate(floor: Floor, rate: str, symbol: str = "EURUSD") -> None:
    set_margin_rates(floor.session, symbol, rate=Decimal(rate), actor="anna")


def to_wallet(account: str, amount: str) -> MoveMoney:
    return MoveMoney(
        account_id=account,
        direction=Direction.TO_WALLET,
        amount=Decimal(amount),
        transaction_id=new_id_text(),
    )


def test_rates_are_set_and_read_with_a_trace_of_who_did_it(floor: Floor) -> None:
    set_margin_rates(
        floor.session, "EURUSD", rate=Decimal("0.02"), rate_min_retail=Decimal("0.0333"), actor="a"
    )
    set_rate(floor, "0.05")
    set_rate(floor, "0.05")
    terms = read_instruments(floor.session)["EURUSD"].margin
    assert terms is not None
    assert (terms.rate, terms.rate_min_retail) == (Decimal("0.05"), Decimal("0.0333"))
    assert read_instruments(floor.session)["GBPUSD"].margin is None
    assert floor.rows(
        "SELECT actor, changes -> 'margin_rate' FROM audit_log"
        " WHERE table_name = 'instruments' AND action = 'update' ORDER BY seq"
    ) == [("a", [0, 0.02]), ("anna", [0.02, 0.05])]
    assert floor.broken_laws() == {}


@pytest.mark.parametrize(
    ("symbol", "rate", "code"),
    [
        ("EURUSD", "1.01", ErrorCode.MARGIN_TERMS_MALFORMED),
        ("EURUSD", "-0.01", ErrorCode.MARGIN_TERMS_MALFORMED),
        ("EURUSD", "NaN", ErrorCode.MARGIN_TERMS_MALFORMED),
        ("NOSUCH", "0.01", ErrorCode.INSTRUMENT_UNKNOWN),
    ],
)
def test_a_rate_that_is_no_share_of_a_listed_instrument_is_refused(
    floor: Floor, symbol: str, rate: str, code: ErrorCode
) -> None:
    assert refusal(lambda: set_rate(floor, rate, symbol)).code is code


def test_the_next_order_is_asked_under_the_new_rate(floor: Floor) -> None:
    """100,000 at the middle 1.10005 bind 220.01 at 1:500 and 5,500.25 at five percent."""
    account = floor.account("6000", client_class=PROFESSIONAL, leverage=500)
    with floor.engine() as engine:
        assert deal(engine, buy(account)).status is OrderStatus.FILLED
        set_rate(floor, "0.05")
        refused = deal(engine, buy(account))
        assert refused.refusal_code is ErrorCode.ORDER_MARGIN_INSUFFICIENT
        set_rate(floor, "0")
        assert deal(engine, buy(account)).status is OrderStatus.FILLED
    assert floor.broken_laws() == {}


def test_what_may_be_withdrawn_is_free_of_the_margin_at_the_new_rate(floor: Floor) -> None:
    """Equity 10,000 - 10, less 5,500.25: 4,489.75 are free."""
    account = floor.account("10000", client_class=PROFESSIONAL, leverage=500)
    with floor.engine() as engine:
        deal(engine, buy(account))
        set_rate(floor, "0.05")
        more = refusal(lambda: ask(engine, to_wallet(account, "4489.76")))
        assert more.code is ErrorCode.MONEY_INSUFFICIENT_FUNDS
        ask(engine, to_wallet(account, "4489.75"))
    assert floor.broken_laws() == {}


def test_a_rate_that_is_raised_calls_the_accounts_that_it_leaves_short(floor: Floor) -> None:
    """The watchers learn it with the next batch, whoever's it is, and look with the next quote."""
    account = floor.account("4000", client_class=PROFESSIONAL, leverage=500)
    other = floor.account("4000", client_class=PROFESSIONAL, leverage=500)
    with floor.engine() as engine:
        deal(engine, buy(account))
        floor.quote(engine, "EURUSD", "1.10000", "1.10010")
        set_rate(floor, "0.05")
        deal(engine, buy(other, 1000))
        floor.quote(engine, "EURUSD", "1.10000", "1.10010")
    # Equity 4,000 - 10, used 100,000 * 1.10005 * 5 %: 72.5422 percent.
    called = floor.rows("SELECT account_id::text, margin_level, used_margin FROM margin_calls")
    assert called == [(account, Decimal("72.5422"), Decimal("5500.25"))]
    assert floor.broken_laws() == {}


def test_the_minimum_of_the_regulator_binds_retail_clients_only(floor: Floor) -> None:
    set_margin_rates(floor.session, "EURUSD", rate_min_retail=Decimal("0.1"), actor="anna")
    retail = floor.account("10000")
    professional = floor.account("10000", client_class=PROFESSIONAL)
    with floor.engine() as engine:
        assert deal(engine, buy(retail)).refusal_code is ErrorCode.ORDER_MARGIN_INSUFFICIENT
        assert deal(engine, buy(professional)).status is OrderStatus.FILLED
