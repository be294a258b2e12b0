"""Margin at the opening price: what a position was worth then binds until it is closed."""

from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.floor import Floor, ask, buy, deal, refusal, sell
from tests.positions import close, ids, pair_up
from tradewright.core.errors import ErrorCode
from tradewright.core.ids import new_id_text
from tradewright.postgres.refusals import translate
from tradewright.risk.model import ClientClass, MarginPrice
from tradewright.risk.stress import Scenario
from tradewright.trading.groups import AccountGroup, PositionMode, set_group
from tradewright.trading.model import CheckMargin, Direction, MoveMoney, OrderStatus
from tradewright.trading.stress import run_stress

OPEN = {"code": "open", "margin_price": MarginPrice.OPEN}


def account_of(floor: Floor, deposit: str = "10000", **fields: Any) -> str:
    """Open a professional's account at 1:100 in a group whose margin is at the opening price."""
    set_group(floor.session, AccountGroup(**OPEN | fields))
    return floor.account(deposit, client_class=ClientClass.PROFESSIONAL, leverage=100, group="open")


def used(floor: Floor, move: str = "0") -> Decimal:
    """Return what the one account with positions binds, as a stress test sees it."""
    scenario = Scenario(name="move", symbols={"EURUSD": Decimal(move)})
    (found,) = run_stress(floor.session, scenario).accounts
    assert found.after is not None
    return found.after.used


def rates(floor: Floor) -> list[Decimal]:
    rows = floor.rows("SELECT rate FROM opening_rates ORDER BY position_id, position_version")
    return [row[0] for row in rows]


def test_what_is_bound_stays_as_the_price_moves(floor: Floor) -> None:
    """A lot bought at 1.10010 binds 1,100.10, where current prices would bind 1,200.05."""
    account = account_of(floor)
    with floor.engine() as engine:
        deal(engine, buy(account))
        floor.quote(engine, "EURUSD", "1.20000", "1.20010")
        floor.session.execute("UPDATE accounts SET margin_call_level = 99999")
        ask(engine, CheckMargin(account_id=account))
    assert floor.one("SELECT used_margin FROM margin_calls") == Decimal("1100.10")
    assert used(floor, "0.5") == Decimal("1100.10")
    assert floor.broken_laws() == {}


def test_the_opening_rate_is_the_mean_of_what_was_opened_and_closing_keeps_it(
    floor: Floor,
) -> None:
    """1.10010 for a lot and 1.20010 for three: 1.17510. A flip begins anew."""
    account = account_of(floor)
    with floor.engine() as engine:
        deal(engine, buy(account))
        floor.quote(engine, "EURUSD", "1.20000", "1.20010")
        deal(engine, buy(account, 300_000))
        deal(engine, sell(account, 100_000))
        assert used(floor) == 3000 * Decimal("1.17510")
        deal(engine, sell(account, 400_000))
        assert used(floor) == 1000 * Decimal("1.20000")
    assert rates(floor) == [Decimal(one) for one in ("1.10010", "1.17510", "1.17510", "1.2")]
    assert floor.broken_laws() == {}


def test_the_rate_into_the_accounts_currency_is_that_of_the_opening_too(floor: Floor) -> None:
    """A lot of USDJPY at 150 is 100,000 USD of notional, at whatever the yen stands later."""
    account = account_of(floor)
    with floor.engine(eurusd=None) as engine:
        floor.quote(engine, "USDJPY", "149.990", "150.000")
        deal(engine, buy(account, symbol="USDJPY"))
        floor.quote(engine, "USDJPY", "149.000", "149.010")
    (rate,) = rates(floor)
    assert abs(rate - 1) < Decimal("0.0001")
    assert floor.broken_laws() == {}


def test_the_opening_test_asks_at_the_price_that_the_order_would_deal_at(floor: Floor) -> None:
    """The ask 1.10010 binds 1,100.10 and costs ten of spread: 1,110.10 are enough, a cent less not.

    At the middle, 1.10005, 1,110.05 would have been.
    """
    account, short = account_of(floor, "1110.10"), account_of(floor, "1110.09")
    with floor.engine() as engine:
        refused = deal(engine, buy(short))
        assert refused.refusal_code is ErrorCode.ORDER_MARGIN_INSUFFICIENT
        assert deal(engine, buy(account)).status is OrderStatus.FILLED


def test_what_may_be_withdrawn_is_free_of_it(floor: Floor) -> None:
    """Used stays 1,100.10; equity is 10,000 less 100,000 times what the bid has fallen."""
    account = account_of(floor)
    with floor.engine() as engine:
        deal(engine, buy(account))
        floor.quote(engine, "EURUSD", "1.01010", "1.01020")  # equity 1,000: 100.10 too little
        assert refusal(lambda: ask(engine, to_wallet(account, "0.01"))).code is (
            ErrorCode.MONEY_INSUFFICIENT_FUNDS
        )
        floor.quote(engine, "EURUSD", "1.02010", "1.02020")  # equity 2,000
        ask(engine, to_wallet(account, "899.90"))
    assert floor.broken_laws() == {}


def to_wallet(account: str, amount: str) -> MoveMoney:
    return MoveMoney(
        account_id=account,
        direction=Direction.TO_WALLET,
        amount=Decimal(amount),
        transaction_id=new_id_text(),
    )


def test_an_engine_that_starts_again_knows_what_positions_were_opened_at(floor: Floor) -> None:
    """Equity 2,560 - 2,010 = 550 is 49.9955 percent of 1,100.10, and 50.9 of today's 1,080.05."""
    account = account_of(floor, "2560")
    with floor.engine() as engine:
        deal(engine, buy(account))
    with floor.engine(eurusd=("1.08000", "1.08010")):
        assert floor.position(account) == 0
    assert floor.one("SELECT used_margin FROM stop_outs") == Decimal("1100.10")
    assert floor.broken_laws() == {}


def test_parts_and_pairings_of_hedged_positions_keep_their_rates(floor: Floor) -> None:
    account = account_of(floor, position_mode=PositionMode.HEDGING)
    with floor.engine() as engine:
        deal(engine, buy(account))
        floor.quote(engine, "EURUSD", "1.20000", "1.20010")
        deal(engine, sell(account, 50_000))
        assert used(floor) == Decimal("1100.10") + 600
        one, other = ids(floor, account)
        ask(engine, close(account, one, 40_000))
        assert used(floor) == Decimal("660.06") + 600
        ask(engine, pair_up(account, one, other))
        assert used(floor) == Decimal("110.01")
    assert floor.broken_laws() == {}


@pytest.mark.parametrize(
    ("price", "statement"),
    [
        (MarginPrice.OPEN, "UPDATE account_groups SET margin_price = 'current'"),
        (MarginPrice.CURRENT, "UPDATE account_groups SET margin_price = 'open'"),
        (MarginPrice.OPEN, "UPDATE accounts SET group_code = 'standard'"),
    ],
)
def test_the_price_is_kept_while_anything_is_open(
    floor: Floor, price: MarginPrice, statement: str
) -> None:
    account = account_of(floor, margin_price=price)
    with floor.engine() as engine:
        deal(engine, buy(account))
        with pytest.raises(psycopg.Error) as caught:
            floor.session.execute(statement.encode())
        assert translate(caught.value).code is ErrorCode.MARGIN_PRICE_IN_USE
        ask(engine, close(account, ids(floor, account)[0]))
        floor.session.execute(statement.encode())
        deal(engine, buy(account))
    assert floor.broken_laws() == {}
