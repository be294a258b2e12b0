"""A trailing stop over restarts and crashes, and what of it is written down."""

from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.floor import Floor, ask, buy, deal, order, refusal, row_counts, sell
from tradewright.core.errors import ErrorCode
from tradewright.liquidity.model import Side
from tradewright.risk.model import ClientClass
from tradewright.trading.model import (
    MoveStop,
    NothingDone,
    OrderReport,
    OrderStatus,
    TrailingUnit,
    TriggerOrder,
)

STOP = "SELECT stop_price FROM orders WHERE order_type = 'trailing_stop'"
STATUS = "SELECT status FROM orders WHERE order_type = 'trailing_stop'"


@pytest.fixture
def rich(floor: Floor) -> str:
    """Open a professional's account that can carry millions."""
    return floor.account("1000000", leverage=500, client_class=ClientClass.PROFESSIONAL)


def trail(account: str, distance: str = "0.00500", **fields: Any) -> Any:
    return sell(account, trailing_distance=distance, client_order_id="trail", **fields)


def test_a_stop_is_not_written_with_each_tick_but_with_each_tenth_of_its_distance(
    floor: Floor, rich: str
) -> None:
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, trail(rich))
        for step in range(1, 101):
            bid = Decimal("1.10000") + step * Decimal("0.00010")
            floor.quote(engine, "EURUSD", str(bid), str(bid + Decimal("0.00010")))
        events = floor.one("SELECT count(*) FROM order_events WHERE event_type = 'restated'")
        assert events == 20  # a hundred ticks of better prices, one row for each 0.0005
        assert floor.one(STOP) == Decimal("1.10500")
    assert floor.broken_laws() == {}


@pytest.mark.parametrize("side", Side)
def test_a_restart_changes_nothing_of_where_a_stop_stands(
    floor: Floor, rich: str, side: Side
) -> None:
    way = -side.sign  # a seller's better price is higher
    with floor.engine(eurusd=("1.10000", "1.10000")) as engine:
        floor.quote(engine, "EURUSD", "1.10000", "1.10010")
        deal(engine, order(rich, side, 100_000, trailing_distance="0.00500"))
        first = floor.one(STOP)
        bid = Decimal("1.10000") + way * Decimal("0.00019")  # less than a tenth of the distance
        floor.quote(engine, "EURUSD", str(bid), str(bid + Decimal("0.00010")))
        assert floor.one(STOP) == first
    stop = first + way * Decimal("0.00019")
    assert floor.one(STOP) == stop  # written when the engine stopped
    near = stop + way * Decimal("0.00001")
    spread = Decimal("0.00010") if side is Side.BUY else Decimal(0)
    with floor.engine(
        eurusd=(str(near - spread), str(near - spread + Decimal("0.00010")))
    ) as again:
        assert floor.one(STATUS) == "new"
        near -= way * Decimal("0.00001")
        floor.quote(again, "EURUSD", str(near - spread), str(near - spread + Decimal("0.00010")))
    assert floor.one(STATUS) == "filled"
    assert floor.broken_laws() == {}


def test_after_a_crash_a_stop_is_behind_by_less_than_a_tenth_of_its_distance(
    floor: Floor, rich: str
) -> None:
    engine = floor.build()
    engine.start()
    floor.quote(engine, "EURUSD", "1.10000", "1.10010")
    deal(engine, trail(rich))
    for bid in ("1.10051", "1.10099"):
        floor.quote(engine, "EURUSD", bid, "1.10150")
    exact = Decimal("1.10099") - Decimal("0.00500")
    assert exact - Decimal("0.00050") < floor.one(STOP) < exact
    for writer in engine._queues.writers:  # it dies: nothing more is proposed
        writer.stop()
    with floor.engine(eurusd=("1.09552", "1.09562")) as again:
        assert floor.one(STATUS) == "new"
        floor.quote(again, "EURUSD", "1.09551", "1.09561")
    assert floor.one(STATUS) == "filled"


def test_a_stop_that_is_proposed_never_loosens_and_no_other_order_is_moved(
    floor: Floor, rich: str
) -> None:
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        trailing = deal(engine, trail(rich)).order_id
        plain = deal(engine, sell(rich, stop_price="1.09000")).order_id
        counts = row_counts(floor.session)
        for order_id, stop in ((trailing, "1.09400"), (trailing, "1.09500"), (plain, "1.09900")):
            move = MoveStop(account_id=rich, order_id=order_id, stop_price=Decimal(stop))
            assert isinstance(ask(engine, move), NothingDone)
        early = TriggerOrder(account_id=rich, order_id=trailing, stop_price=Decimal("1.09900"))
        assert isinstance(ask(engine, early), NothingDone)
        assert row_counts(floor.session) == counts
    assert floor.one(STOP) == Decimal("1.09500")


def test_the_stop_that_fired_is_the_exact_one_and_is_kept_with_the_order(
    floor: Floor, rich: str
) -> None:
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, trail(rich))
        floor.quote(engine, "EURUSD", "1.10033", "1.10043")
        floor.quote(engine, "EURUSD", "1.09533", "1.09543")
    assert floor.one(STOP) == Decimal("1.09533")
    assert floor.one(STATUS) == "filled"
    at = floor.one("SELECT triggered_at FROM orders WHERE triggered_at IS NOT NULL")
    assert at == floor.now


def test_the_same_distance_under_the_same_key_is_the_first_order(floor: Floor, rich: str) -> None:
    first = trail(rich, "25", trailing_unit=TrailingUnit.BPS)
    other = trail(rich, "26", trailing_unit=TrailingUnit.BPS)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, first)
        floor.quote(engine, "EURUSD", "1.11000", "1.11010")
        again = deal(engine, first)
        assert refusal(lambda: deal(engine, other)).code is ErrorCode.ORDER_DUPLICATE_DIFFERS
    assert isinstance(again, OrderReport)
    assert (again.is_replay, again.status) == (True, OrderStatus.NEW)
    assert floor.one("SELECT trailing_terms FROM orders") == "25 bps"
    assert floor.one("SELECT trailing_distance FROM orders") == Decimal("0.00275")


def test_a_stop_cannot_trail_a_price_that_is_not_there(floor: Floor, rich: str) -> None:
    with floor.engine(eurusd=None) as engine:
        counts = row_counts(floor.session)
        error = refusal(lambda: deal(engine, trail(rich)))
        assert row_counts(floor.session) == counts
    assert error.code is ErrorCode.ORDER_PRICE_STALE


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("trailing_distance = NULL", "orders_trailing_stop_has_distance"),
        ("trailing_terms = NULL", "orders_trailing_stop_has_distance"),
        ("trailing_distance = 0", "positive_price_positive"),
        ("stop_price = NULL", "orders_stop_has_stop_price"),
        ("limit_price = 1", "orders_limit_has_limit_price"),
        ("is_post_only = true", "orders_post_only_rests"),
        ("order_type = 'stop'", "orders_trailing_stop_has_distance"),
    ],
)
def test_the_database_keeps_the_terms_of_each_type_together(
    floor: Floor, rich: str, change: str, constraint: str
) -> None:
    with floor.engine() as engine:
        deal(engine, trail(rich))
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        floor.session.execute(f"UPDATE orders SET {change}".encode())
    assert caught.value.diag.constraint_name == constraint


def test_a_take_profit_that_could_open_is_refused_by_the_database(floor: Floor, rich: str) -> None:
    with floor.engine() as engine:
        deal(engine, buy(rich))
        deal(engine, sell(rich, stop_price="1.09000"))
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        floor.session.execute(
            b"UPDATE orders SET order_type = 'take_profit' WHERE order_type = 'stop'"
        )
    assert caught.value.diag.constraint_name == "orders_take_profit_only_reduces"
