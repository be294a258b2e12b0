"""Commission by terms: charged per side at the fill, in a ledger entry of its own."""

from decimal import Decimal

import psycopg
import pytest

from tests.floor import Floor, buy, deal, sell
from tradewright.core.errors import ErrorCode
from tradewright.trading.commissions import CommissionForm, CommissionTerms, set_terms, spread
from tradewright.trading.groups import AccountGroup, PositionMode, set_group


def per_lot(rate: str, currency: str = "USD", minimum: str = "0") -> CommissionTerms:
    return CommissionTerms(
        form=CommissionForm.PER_LOT,
        rate=Decimal(rate),
        currency=currency,
        minimum=Decimal(minimum),
    )


def charged(floor: Floor, account: str) -> list[Decimal]:
    rows = floor.rows(
        "SELECT amount FROM balance_ledger WHERE holder_id = %s AND operation = 'commission'"
        " ORDER BY version",
        account,
    )
    return [row[0] for row in rows]


def test_each_side_is_charged_and_the_next_order_knows_new_terms(floor: Floor) -> None:
    account = floor.account("100000")
    with floor.engine() as engine:
        deal(engine, buy(account))
        set_terms(floor.session, per_lot("3.50"), group=None, symbol="EURUSD")
        deal(engine, sell(account, 40_000))
        set_terms(floor.session, per_lot("3.50", minimum="2"), group="standard", symbol="EURUSD")
        deal(engine, sell(account, 60_000))
    assert charged(floor, account) == [Decimal("1.40"), Decimal("2.10")]
    assert floor.rows("SELECT commission FROM trades ORDER BY id") == [
        (0,),
        (Decimal("1.40"),),
        (Decimal("2.10"),),
    ]
    assert floor.broken_laws() == {}


def test_a_small_trade_costs_the_minimum_of_its_group(floor: Floor) -> None:
    set_group(floor.session, AccountGroup(code="pro"))
    set_terms(floor.session, per_lot("3.50", minimum="0.99"), group="pro", symbol=None)
    account, other = floor.account("100000", group="pro"), floor.account("100000")
    with floor.engine() as engine:
        for one in (account, other):
            deal(engine, buy(one, 1_000))
    assert (charged(floor, account), charged(floor, other)) == ([Decimal("0.99")], [])
    assert floor.broken_laws() == {}


def test_no_rate_of_the_terms_currency_no_trade(floor: Floor) -> None:
    set_terms(floor.session, per_lot("3.50", currency="GBP"), group=None, symbol="EURUSD")
    account = floor.account("100000")
    with floor.engine() as engine:
        denied = deal(engine, buy(account))
        floor.quote(engine, "GBPUSD", "1.25000", "1.25010")
        deal(engine, buy(account))
    assert denied.refusal_code is ErrorCode.ORDER_RATE_MISSING
    assert charged(floor, account) == [Decimal("4.38")]  # 3.50 GBP at the middle, 1.25005
    assert floor.broken_laws() == {}


def test_terms_of_nobody_and_nothing_are_refused(floor: Floor) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        set_terms(floor.session, per_lot("1"), group=None, symbol=None)
    assert caught.value.diag.constraint_name == "commission_terms_of_somebody_or_something"


def test_a_fill_that_closes_five_positions_costs_one_minimum(floor: Floor) -> None:
    set_group(floor.session, AccountGroup(code="fifo", position_mode=PositionMode.FIFO))
    account = floor.account("100000", group="fifo")
    with floor.engine() as engine:
        for _ in range(5):
            deal(engine, buy(account, 1_000))
        set_terms(floor.session, per_lot("3.50", minimum="1.03"), group="fifo", symbol=None)
        deal(engine, sell(account, 5_000))
    assert charged(floor, account) == [Decimal("0.20")] * 4 + [Decimal("0.23")]
    assert floor.broken_laws() == {}


def test_a_fill_that_flips_a_position_costs_one_minimum(floor: Floor) -> None:
    account = floor.account("100000")
    with floor.engine() as engine:
        deal(engine, buy(account, 1_000))
        set_terms(floor.session, per_lot("3.50", minimum="1"), group=None, symbol="EURUSD")
        deal(engine, sell(account, 4_000))
    assert charged(floor, account) == [Decimal("0.25"), Decimal("0.75")]
    assert floor.broken_laws() == {}


@pytest.mark.parametrize(
    ("fee", "parts", "currency", "shares"),
    [
        ("0.03", [1, 1, 1, 1, 1], "USD", ["0", "0", "0", "0", "0.03"]),
        ("10.00", [-1, -1, -1], "USD", ["3.33", "3.33", "3.34"]),
        ("7", [1, 2], "JPY", ["2", "5"]),
        ("0", [1, 2], "USD", ["0", "0"]),
    ],
)
def test_the_shares_of_a_fee_add_up_to_it(
    fee: str, parts: list[int], currency: str, shares: list[str]
) -> None:
    divided = spread(Decimal(fee), [Decimal(part) for part in parts], currency)
    assert divided == [Decimal(share) for share in shares]
    assert sum(divided) == Decimal(fee)


@pytest.mark.parametrize(("form", "most"), [("bps", "10000"), ("per_million", "1000000")])
def test_no_side_of_a_trade_costs_more_than_it_is_worth_whoever_sets_it(
    floor: Floor, form: str, most: str
) -> None:
    text = (
        "INSERT INTO commission_terms (symbol, form, rate, currency) VALUES"
        " ('EURUSD', %s, %s::numeric, 'USD')"
        " ON CONFLICT ON CONSTRAINT commission_terms_set_once DO UPDATE SET rate = EXCLUDED.rate"
    )
    floor.session.execute(text, (form, most))
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        floor.session.execute(text, (form, f"{most}.00000001"))
    assert refused.value.diag.constraint_name == "commission_terms_rate_within_trade"
    with pytest.raises(psycopg.errors.CheckViolation, match="within_trade"):
        floor.session.execute("UPDATE instruments SET commission_per_million = 1000000.1")
