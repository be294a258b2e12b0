"""Netting, hedging and FIFO: what fills open and close in each, and what the database refuses."""

from decimal import Decimal
from functools import partial
from typing import Any

import psycopg
import pytest

from tests.floor import ONE, TWO, Floor, ask, buy, deal, refusal, sell
from tests.positions import account_of, close, fills_of, held, ids
from tradewright.core.errors import ErrorCode, StateError
from tradewright.core.ids import new_id_text
from tradewright.liquidity.model import Side
from tradewright.postgres.connect import Session
from tradewright.postgres.refusals import translate
from tradewright.routing.model import Book
from tradewright.trading.groups import AccountGroup, PositionMode, set_group
from tradewright.trading.model import (
    OrderStatus,
)


@pytest.fixture
def hedger(floor: Floor) -> str:
    return account_of(floor, PositionMode.HEDGING)


@pytest.fixture
def queuer(floor: Floor) -> str:
    return account_of(floor, PositionMode.FIFO)


@pytest.mark.parametrize("mode", PositionMode)
def test_the_open_quantity_is_the_signed_sum_of_fills_in_every_mode(
    floor: Floor, mode: PositionMode
) -> None:
    account = account_of(floor, mode)
    with floor.engine() as engine:
        for step, quantity in enumerate((30_000, -10_000, 50_000, -90_000, 40_000, -5_000)):
            side = buy if quantity > 0 else sell
            deal(engine, side(account, abs(quantity)))
            floor.quote(engine, "EURUSD", f"1.10{step}00", f"1.10{step}10")
    assert floor.position(account) == 15_000 == fills_of(floor, account)
    assert floor.broken_laws() == {}


def test_in_hedging_each_opening_fill_has_its_own_position(floor: Floor, hedger: str) -> None:
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(hedger, 1_500_000))  # a million at the best price, the rest at the next
        deal(engine, sell(hedger, 100_000))
    assert held(floor, hedger) == [
        (1_000_000, Decimal("1.10010")),
        (500_000, Decimal("1.10022")),
        (-100_000, Decimal("1.10000")),
    ]
    assert floor.balance(hedger) == 1_000_000  # nothing was closed, so nothing was realised
    assert floor.broken_laws() == {}


def test_an_order_closes_the_position_that_it_names_and_no_other(floor: Floor, hedger: str) -> None:
    with floor.engine(eurusd=("1.09999", "1.10000")) as engine:
        for _ in range(2):
            deal(engine, buy(hedger))
        older, younger = ids(floor, hedger)
        floor.quote(engine, "EURUSD", "1.10100", "1.10101")
        report = deal(engine, sell(hedger, 40_000, position_id=younger))
    assert report.status is OrderStatus.FILLED
    assert ids(floor, hedger) == [older, younger]
    assert [quantity for quantity, _ in held(floor, hedger)] == [100_000, 60_000]
    assert floor.balance(hedger) == Decimal("1000040.00")
    assert floor.broken_laws() == {}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"side": Side.BUY}, ErrorCode.ORDER_FIELDS_CONTRADICT),
        ({"limit_price": "1.2"}, ErrorCode.ORDER_FIELDS_CONTRADICT),
        ({"stop_loss": "1.2"}, ErrorCode.ORDER_FIELDS_CONTRADICT),
        ({"quantity": 101_000}, ErrorCode.POSITION_QUANTITY_EXCEEDED),
        ({"position_id": new_id_text()}, ErrorCode.POSITION_UNKNOWN),
        ({"position_id": "no id"}, ErrorCode.INPUT_ID_MALFORMED),
    ],
)
def test_an_order_that_cannot_close_what_it_names_is_refused(
    floor: Floor, hedger: str, fields: dict[str, Any], code: ErrorCode
) -> None:
    with floor.engine() as engine:
        deal(engine, buy(hedger))
        usual: dict[str, Any] = {"position_id": ids(floor, hedger)[0], "quantity": 100_000}
        fields = usual | fields
        side = buy if fields.pop("side", Side.SELL) is Side.BUY else sell
        error = refusal(lambda: deal(engine, side(hedger, **fields)))
    assert error.code is code
    assert floor.one("SELECT count(*) FROM orders") == 1


def test_in_hedging_a_reduce_only_order_closes_and_never_opens(floor: Floor, hedger: str) -> None:
    with floor.engine() as engine:
        for quantity in (30_000, 20_000):
            deal(engine, buy(hedger, quantity))
        deal(engine, sell(hedger, 40_000, is_reduce_only=True))
    assert [quantity for quantity, _ in held(floor, hedger)] == [10_000]
    assert floor.broken_laws() == {}


def test_fifo_closes_the_oldest_first_and_opens_with_the_rest(floor: Floor, queuer: str) -> None:
    with floor.engine(eurusd=("1.09999", "1.10000")) as engine:
        deal(engine, buy(queuer, 30_000))
        floor.quote(engine, "EURUSD", "1.10099", "1.10100")
        deal(engine, buy(queuer, 20_000))
        floor.quote(engine, "EURUSD", "1.10200", "1.10201")
        deal(engine, sell(queuer, 40_000))
        # 30,000 * 0.00200 of the older and 10,000 * 0.00100 of the younger.
        assert floor.balance(queuer) == Decimal("1000070.00")
        assert held(floor, queuer) == [(10_000, Decimal("1.10100"))]
        deal(engine, sell(queuer, 15_000))
    assert held(floor, queuer) == [(-5_000, Decimal("1.10200"))]
    assert floor.broken_laws() == {}


def test_fifo_closes_another_only_whole_and_only_as_the_oldest_of_its_size(
    floor: Floor, queuer: str
) -> None:
    with floor.engine() as engine:
        for quantity in (30_000, 20_000, 20_000, 30_000):
            deal(engine, buy(queuer, quantity))
        _, second, third, fourth = ids(floor, queuer)
        for command in (
            close(queuer, second, 10_000),
            close(queuer, third),
            close(queuer, fourth),
        ):
            error = refusal(partial(ask, engine, command))
            assert error.code is ErrorCode.POSITION_NOT_IN_TURN
        ask(engine, close(queuer, second))
        deal(engine, sell(queuer, 20_000, position_id=third))
    assert [quantity for quantity, _ in held(floor, queuer)] == [30_000, 30_000]
    assert floor.broken_laws() == {}


def test_in_hedging_each_position_has_its_own_protections(floor: Floor, hedger: str) -> None:
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(hedger, 10_000, stop_loss="1.09900"))
        deal(engine, buy(hedger, 20_000, stop_loss="1.09800"))
        deal(engine, sell(hedger, 30_000, take_profit="1.09900"))
        floor.quote(engine, "EURUSD", "1.09890", "1.09900")
    assert [quantity for quantity, _ in held(floor, hedger)] == [20_000]
    assert floor.rows("SELECT origin FROM orders WHERE origin <> 'client' ORDER BY origin") == [
        ("stop_loss",),
        ("take_profit",),
    ]
    assert floor.broken_laws() == {}


def test_in_fifo_the_newest_levels_hold_for_all_of_the_symbol(floor: Floor, queuer: str) -> None:
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(queuer, 10_000, stop_loss="1.09500"))
        deal(engine, buy(queuer, 20_000, stop_loss="1.09900"))
        deal(engine, buy(queuer, 30_000))
        levels = floor.rows("SELECT stop_loss FROM positions ORDER BY id")
        floor.quote(engine, "EURUSD", "1.09900", "1.09910")
    assert levels == [(Decimal("1.09900"),)] * 3
    closed = "SELECT quantity, filled_quantity FROM orders WHERE origin = 'stop_loss'"
    assert floor.rows(closed) == [(60_000, 60_000)]
    assert held(floor, queuer) == []
    assert floor.broken_laws() == {}


@pytest.mark.parametrize("mode", [PositionMode.HEDGING, PositionMode.FIFO])
def test_a_stop_out_closes_in_the_order_of_the_mode(floor: Floor, mode: PositionMode) -> None:
    account = account_of(floor, mode, leverage=30)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account, 5_000_000))
        floor.quote(engine, "EURUSD", "1.12000", "1.12010")
        deal(engine, buy(account, 6_000_000))
        floor.quote(engine, "EURUSD", "1.06000", "1.06010")
        floor.quote(engine, "EURUSD", "1.03500", "1.03510")
    rows = floor.rows(
        "SELECT p.average_price FROM trades AS t JOIN positions AS p ON p.id = t.position_id"
        " WHERE t.effect = 'close' ORDER BY t.id LIMIT 1"
    )
    # Hedging closes the largest loss, opened at the top; FIFO what was opened first.
    assert (rows[0][0] > Decimal("1.11")) == (mode is PositionMode.HEDGING)
    assert floor.broken_laws() == {}


def test_a_named_close_of_book_a_is_booked_when_the_provider_has_answered(
    engine_database: str, engine: Session
) -> None:
    floor = Floor.opened(engine_database, engine, (ONE, TWO))
    account = account_of(floor, PositionMode.HEDGING, book=Book.A)
    with floor.engine(eurusd=("1.10000", "1.10010")) as running:
        deal(running, buy(account))
        deal(running, buy(account))
        older, younger = ids(floor, account)
        whole, again = running.submit_together([close(account, younger), close(account, younger)])
        with pytest.raises(StateError, match="a provider decides on its close") as refused:
            again.result(timeout=30)
        assert refused.value.code is ErrorCode.ORDER_IN_FLIGHT
        whole.result(timeout=30)
        running.wait_until_idle()
    assert ids(floor, account) == [older]
    assert floor.broken_laws() == {}


def test_the_database_keeps_one_open_position_per_symbol_in_netting_only(
    floor: Floor, hedger: str
) -> None:
    netter = account_of(floor, PositionMode.NETTING)
    with floor.engine() as engine:
        deal(engine, buy(netter))
        for _ in range(2):
            deal(engine, buy(hedger))
    floor.session.execute("SET session_replication_role = replica")
    with pytest.raises(psycopg.errors.UniqueViolation) as caught:
        floor.session.execute(
            "INSERT INTO positions SELECT (jsonb_populate_record(p, jsonb_build_object('id',"
            " uuidv7()))).* FROM positions AS p WHERE account_id = %s",
            (netter,),
        )
    assert caught.value.diag.constraint_name == "idx_positions_account_id_symbol_open"


def test_a_mode_is_not_changed_while_a_position_is_open(floor: Floor, hedger: str) -> None:
    with floor.engine() as engine:
        deal(engine, buy(hedger))
        for statement in (
            "UPDATE account_groups SET position_mode = 'fifo' WHERE code = 'hedging'",
            "UPDATE accounts SET group_code = 'standard'",
        ):
            with pytest.raises(psycopg.Error) as caught:
                floor.session.execute(statement.encode())
            assert translate(caught.value).code is ErrorCode.POSITION_MODE_IN_USE
        ask(engine, close(hedger, ids(floor, hedger)[0]))
    floor.session.execute("UPDATE accounts SET group_code = 'standard'")
    assert floor.broken_laws() == {}


def test_a_position_of_another_mode_than_its_group_is_refused(floor: Floor, hedger: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        floor.session.execute(
            "INSERT INTO positions (id, account_id, symbol, position_mode, quantity,"
            " average_price, is_open, version)"
            " VALUES (uuidv7(), %s, 'EURUSD', 'netting', 1000, 1.1, true, 1)",
            (hedger,),
        )
    assert translate(caught.value).code is ErrorCode.POSITION_MODE_DIFFERS


def test_a_mode_that_was_changed_holds_for_the_next_order(floor: Floor, hedger: str) -> None:
    with floor.engine() as engine:
        set_group(floor.session, AccountGroup(code="hedging", position_mode=PositionMode.NETTING))
        for _ in range(2):
            deal(engine, buy(hedger))
    assert [quantity for quantity, _ in held(floor, hedger)] == [200_000]
    assert floor.broken_laws() == {}


def test_a_position_is_not_closed_from_another_account(floor: Floor, hedger: str) -> None:
    other = account_of(floor, PositionMode.HEDGING)
    with floor.engine() as engine:
        report = deal(engine, buy(hedger))
        deal(engine, buy(other))
    for statement in (
        f"INSERT INTO closing_orders VALUES ('{report.order_id}', '{ids(floor, other)[0]}')",
        (
            "INSERT INTO close_bys (id, account_id, position_id, by_position_id, quantity, price,"
            f" quoted_at) VALUES (uuidv7(), '{hedger}', '{ids(floor, hedger)[0]}',"
            f" '{ids(floor, other)[0]}', 1, 1, clock_timestamp())"
        ),
    ):
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            floor.session.execute(statement.encode())
