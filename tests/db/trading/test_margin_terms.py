"""Margin rates of instruments: set once, they hold for orders, levels and withdrawals alike."""

from decimal import Decimal

import pytest

from tests.db.trading.test_several_engines import until
from tests.floor import Floor, ask, buy, deal, refusal
from tradewright.core.errors import ErrorCode
from tradewright.core.ids import new_id_text
from tradewright.liquidity.instrument import MarginTier
from tradewright.risk.model import ClientClass
from tradewright.risk.stop_out import StopOutMode
from tradewright.risk.stress import Scenario
from tradewright.trading.groups import AccountGroup, PositionMode, set_group
from tradewright.trading.margin_terms import set_margin_rates, set_margin_tiers
from tradewright.trading.model import Direction, MoveMoney, OrderStatus
from tradewright.trading.reference import read_instruments
from tradewright.trading.stress import run_stress

PROFESSIONAL = ClientClass.PROFESSIONAL


def set_rate(floor: Floor, rate: str, symbol: str = "EURUSD") -> None:
    set_margin_rates(floor.session, symbol, rate=Decimal(rate), actor="anna")


def set_tiers(floor: Floor, *tiers: tuple[str, str], symbol: str = "EURUSD") -> None:
    found = [MarginTier(Decimal(above), Decimal(rate)) for above, rate in tiers]
    set_margin_tiers(floor.session, symbol, found, actor="anna")


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
    ) == [("a", [0, Decimal("0.02")]), ("anna", [Decimal("0.02"), Decimal("0.05")])]
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


def test_tiers_are_replaced_as_a_whole_and_leave_their_trace(floor: Floor) -> None:
    set_tiers(floor, ("1000000", "0.02"), ("5000000", "0.05"))
    set_tiers(floor, ("2000000", "0.03"), ("5000000", "0.05"))
    terms = read_instruments(floor.session)["EURUSD"].margin
    assert terms is not None
    assert terms.tiers == (
        MarginTier(Decimal(2_000_000), Decimal("0.03")),
        MarginTier(Decimal(5_000_000), Decimal("0.05")),
    )
    set_tiers(floor)
    assert read_instruments(floor.session)["EURUSD"].margin is None
    changes = floor.rows(
        "SELECT actor, action, count(*)::integer FROM audit_log"
        " WHERE table_name = 'margin_tiers' GROUP BY 1, 2 ORDER BY 2"
    )
    assert changes == [("anna", "insert", 3), ("anna", "update", 3)]
    assert floor.broken_laws() == {}


@pytest.mark.parametrize(
    ("symbol", "tiers", "code"),
    [
        ("EURUSD", [("1000", "0.02"), ("1000", "0.03")], ErrorCode.MARGIN_TERMS_MALFORMED),
        ("EURUSD", [("1000", "0.02"), ("2000", "0.02")], ErrorCode.MARGIN_TERMS_MALFORMED),
        ("EURUSD", [("0", "0.02")], ErrorCode.MARGIN_TERMS_MALFORMED),
        ("EURUSD", [("1000", "1.02")], ErrorCode.MARGIN_TERMS_MALFORMED),
        ("NOSUCH", [("1000", "0.02")], ErrorCode.INSTRUMENT_UNKNOWN),
        ("NOSUCH", [], ErrorCode.INSTRUMENT_UNKNOWN),
    ],
)
def test_tiers_that_do_not_rise_or_have_no_instrument_are_refused(
    floor: Floor, symbol: str, tiers: list[tuple[str, str]], code: ErrorCode
) -> None:
    assert refusal(lambda: set_tiers(floor, *tiers, symbol=symbol)).code is code


def test_an_order_is_asked_what_its_account_binds_in_the_brackets_that_are_left(
    floor: Floor,
) -> None:
    """A lot binds 1,100.05 at 1:100, the next one 2,200.10 at 2 percent, whichever order opens it.

    Of 3,310 there are 3,300 left after the spread of the first; it leaves 2,199.95 free.
    """
    set_tiers(floor, ("100000", "0.02"))
    account = floor.account("3310", client_class=PROFESSIONAL, leverage=100)
    with floor.engine() as engine:
        assert deal(engine, buy(account)).status is OrderStatus.FILLED
        refused = deal(engine, buy(account))
        assert refused.refusal_code is ErrorCode.ORDER_MARGIN_INSUFFICIENT
        assert deal(engine, buy(account, 99_000)).status is OrderStatus.FILLED
    assert floor.broken_laws() == {}


def test_a_stress_test_and_a_withdrawal_see_the_same_tiers_as_the_engine(floor: Floor) -> None:
    """Two lots bind 1,100.05 + 2,200.10; equity is 10,000 less the spread of 20."""
    set_tiers(floor, ("100000", "0.02"))
    account = floor.account("10000", client_class=PROFESSIONAL, leverage=100)
    with floor.engine() as engine:
        deal(engine, buy(account, 200_000))
        (found,) = run_stress(floor.session, Scenario(name="none")).accounts
        assert found.after is not None
        assert (found.after.equity, found.after.used) == (Decimal(9980), Decimal("3300.15"))
        more = refusal(lambda: ask(engine, to_wallet(account, "6679.86")))
        assert more.code is ErrorCode.MONEY_INSUFFICIENT_FUNDS
        ask(engine, to_wallet(account, "6679.85"))
    assert floor.broken_laws() == {}


def test_a_smart_stop_out_empties_the_highest_bracket_first(floor: Floor) -> None:
    """200,000 and 50,000 at 1:100, above 100,000 at 2 percent: 1,100.05 + 3,300.15 are used.

    At 1.08500 equity is 5,000 - 250,000 * 0.0151 = 1,225, used 4,340.20 and the level 28.2; at 50
    percent 2,450 may be used, so 1,890.20 must be freed: at 21.701 a step of 1,000 that is 88
    steps, all of them in the upper bracket, although half as many would not do at 1:100.
    """
    group = AccountGroup(
        code="smart", position_mode=PositionMode.HEDGING, stop_out_mode=StopOutMode.SMART
    )
    set_group(floor.session, group)
    set_tiers(floor, ("100000", "0.02"))
    account = floor.account("5000", client_class=PROFESSIONAL, leverage=100, group="smart")
    with floor.engine() as engine:
        deal(engine, buy(account, 200_000))
        deal(engine, buy(account, 50_000))
        floor.quote(engine, "EURUSD", "1.08500", "1.08510")
    left = floor.rows("SELECT quantity FROM positions WHERE is_open ORDER BY quantity")
    assert left == [(Decimal(50_000),), (Decimal(112_000),)]
    assert floor.rows("SELECT used_margin, positions_closed FROM stop_outs") == [
        (Decimal("4340.20"), 1)
    ]
    assert floor.broken_laws() == {}


def test_a_rate_that_is_raised_while_nothing_is_booked_brings_its_calls(floor: Floor) -> None:
    """100,000 bind 220.01 at 1:500, and 11,000.50 at ten percent: equity is 9,990."""
    account = floor.account("10000", client_class=PROFESSIONAL, leverage=500)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account))
        set_rate(floor, "0.10")

        def is_called() -> bool:
            floor.quote(engine, "EURUSD", "1.10000", "1.10010")
            return floor.rows("SELECT used_margin FROM margin_calls") == [(Decimal("11000.50"),)]

        until(is_called)
    assert floor.broken_laws() == {}
