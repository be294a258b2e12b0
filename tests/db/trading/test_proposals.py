"""What a price sets off is proposed once, however many quotes come before it is booked.

Everything is counted: a quote says how many commands it has set off. While another session holds an
account's row, nothing of it can be booked.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.floor import Floor, buy, deal, refusal, sell
from tradewright.core.errors import ErrorCode
from tradewright.liquidity.model import Quote
from tradewright.liquidity.sessions import FOREX_WEEK
from tradewright.risk.model import ClientClass
from tradewright.trading.engine import Engine
from tradewright.trading.model import CancelOrder, ReplaceOrder
from tradewright.trading.registry import open_sessions


@pytest.fixture
def rich(floor: Floor) -> str:
    """Open a professional's account that can carry millions."""
    return floor.account("1000000", leverage=500, client_class=ClientClass.PROFESSIONAL)


@contextmanager
def nothing_is_booked(floor: Floor) -> Iterator[None]:
    """Hold every account, so that no batch comes through."""
    with floor.session.transaction():
        floor.session.execute("SELECT FROM accounts FOR UPDATE")
        yield


def bid(floor: Floor, engine: Engine, price: str, *, after_ms: int = 1) -> int:
    """Quote EURUSD without waiting for anything; return how many commands that set off."""
    floor.now += timedelta(milliseconds=after_ms)
    ask_price = Decimal(price) + Decimal("0.0001")
    return engine.on_quote(Quote("EURUSD", Decimal(price), ask_price, floor.now))


def test_accounts_at_their_call_set_off_one_check_each_until_it_is_booked(floor: Floor) -> None:
    accounts = [floor.account("3700") for _ in range(5)]
    with floor.engine() as engine:
        for account in accounts:
            deal(engine, buy(account))
        with nothing_is_booked(floor):
            below = [bid(floor, engine, "1.09900") for _ in range(50)]
            hovering = [bid(floor, engine, price) for price in ("1.10000", "1.09890") * 50]
        engine.wait_until_idle()
    assert sum(below) == len(accounts)
    assert sum(hovering) == 0
    assert floor.one("SELECT count(*) FROM margin_calls") == len(accounts)


def test_an_account_whose_call_is_open_sets_off_nothing_between_its_levels(floor: Floor) -> None:
    account = floor.account("3700")
    with floor.engine() as engine:
        deal(engine, buy(account))
        floor.quote(engine, "EURUSD", "1.09900", "1.09910")
        set_off = [bid(floor, engine, f"1.0{9900 - step % 90}") for step in range(300)]
    assert sum(set_off) == 0
    assert floor.rows("SELECT resolved_at FROM margin_calls") == [(None,)]


def test_a_call_that_is_passed_while_a_check_is_booked_is_resolved_after_it(floor: Floor) -> None:
    account = floor.account("3700")
    with floor.engine() as engine:
        deal(engine, buy(account))
        bid(floor, engine, "1.09900")
        engine.wait_until_idle()
        with nothing_is_booked(floor):
            assert bid(floor, engine, "1.10500") == 1
            assert bid(floor, engine, "1.09800") == 0
        engine.wait_until_idle()
        assert bid(floor, engine, "1.10500") == 1
        engine.wait_until_idle()
    assert floor.one("SELECT count(*) FROM margin_calls WHERE resolved_at IS NULL") == 0


def test_prices_that_are_reached_set_off_one_command_each_until_it_is_booked(
    floor: Floor, rich: str
) -> None:
    waiting: tuple[dict[str, Any], ...] = (
        {"limit_price": "1.09900"},
        {"stop_price": "1.10200"},
        {"trailing_distance": "0.01000"},
    )
    with floor.engine() as engine:
        deal(engine, buy(rich, stop_loss="1.09500", take_profit="1.10500"))
        for fields in waiting:
            deal(engine, buy(rich, **fields))
        with nothing_is_booked(floor):
            down = [bid(floor, engine, "1.09400") for _ in range(50)]
            up = [bid(floor, engine, "1.10600") for _ in range(50)]
        engine.wait_until_idle()
        settled = [bid(floor, engine, "1.10600") for _ in range(50)]
        engine.wait_until_idle()
    limit, stop_loss, step_of_the_trailing_stop = 1, 1, 1
    stop, trailing_stop, take_profit = 1, 1, 1
    assert sum(down) == limit + stop_loss + step_of_the_trailing_stop
    assert sum(up) == stop + trailing_stop + take_profit
    assert sum(settled) <= take_profit
    assert floor.broken_laws() == {}


def test_a_price_that_was_gone_when_it_was_booked_is_proposed_when_it_comes_back(
    floor: Floor, rich: str
) -> None:
    with floor.engine() as engine:
        deal(engine, buy(rich, limit_price="1.09900"))
        with nothing_is_booked(floor):
            assert bid(floor, engine, "1.09880") == 1
            assert bid(floor, engine, "1.10000") == 0
        engine.wait_until_idle()
        assert floor.position(rich) == 0
        assert bid(floor, engine, "1.09880") == 1
        engine.wait_until_idle()
    assert floor.position(rich) == 100_000


def test_what_could_not_be_booked_is_tried_again_only_after_a_while(
    floor: Floor, rich: str
) -> None:
    poor = floor.account("3700")
    with floor.engine() as engine:
        deal(engine, buy(poor))
        deal(engine, buy(rich, limit_price="1.09950"))
        floor.session.execute("ALTER TABLE order_events RENAME TO mislaid")
        floor.session.execute("ALTER TABLE margin_calls RENAME TO mislaid_too")
        error = refusal(lambda: floor.quote(engine, "EURUSD", "1.09900", "1.09910"))
        at_once = [bid(floor, engine, "1.09900") for _ in range(50)]
        floor.session.execute("ALTER TABLE mislaid RENAME TO order_events")
        floor.session.execute("ALTER TABLE mislaid_too RENAME TO margin_calls")
        later = bid(floor, engine, "1.09900", after_ms=1_000)
        engine.wait_until_idle()
    assert error.code is ErrorCode.DATABASE_STATEMENT_FAILED
    assert sum(at_once) == 0
    assert later == 2
    assert floor.position(rich) == 100_000
    assert floor.one("SELECT count(*) FROM margin_calls") == 1


def test_what_another_engine_has_done_is_learnt_from_the_first_answer(
    floor: Floor, rich: str
) -> None:
    with floor.engine() as watching, floor.engine() as other:
        for key in ("canceled", "replaced"):
            deal(watching, buy(rich, limit_price="1.09900", client_order_id=key))
        deal(watching, buy(rich, stop_loss="1.09900"))
        deal(other, CancelOrder(account_id=rich, client_order_id="canceled"))
        lower = ReplaceOrder(
            account_id=rich,
            client_order_id="replaced",
            new_client_order_id="lower",
            limit_price=Decimal("1.05000"),
        )
        deal(other, lower)
        deal(other, sell(rich))
        set_off = []
        for _ in range(20):
            set_off.append(bid(floor, watching, "1.09800"))
            watching.wait_until_idle()
    assert set_off == [3] + [0] * 19


def test_an_account_that_cannot_be_stopped_out_is_looked_at_once_a_second(floor: Floor) -> None:
    account = floor.account("4000")
    floor.now = floor.now.replace(day=16, hour=21)
    with floor.engine() as engine:
        open_sessions(floor.session, "EURUSD", [FOREX_WEEK])
        deal(engine, buy(account))
        floor.now = floor.now.replace(hour=22, minute=1)
        set_off = []
        for _ in range(100):
            set_off.append(bid(floor, engine, "1.07000", after_ms=100))
            engine.wait_until_idle()
    assert sum(set_off) in range(10, 14)  # one calls, the others find nothing that can be done
