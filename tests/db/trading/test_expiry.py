"""An order whose time is over ends once, whatever else comes with the same quote."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.floor import ONE, Floor, ask, buy, deal, refusal, row_counts
from tradewright.core.errors import ErrorCode
from tradewright.liquidity.model import Quote
from tradewright.postgres.connect import Session
from tradewright.risk.model import ClientClass
from tradewright.routing.model import Book
from tradewright.trading.model import (
    CancelOrder,
    ExpireOrder,
    NothingDone,
    OrderReport,
    OrderStatus,
    TimeInForce,
    TriggerOrder,
)

DAY_END = datetime(2026, 1, 13, 22, tzinfo=UTC)


@pytest.fixture
def rich(floor: Floor) -> str:
    """Open a professional's account that can carry millions."""
    return floor.account("1000000", leverage=500, client_class=ClientClass.PROFESSIONAL)


def day_order(account: str, **fields: Any) -> Any:
    return buy(account, limit_price="1.09900", time_in_force=TimeInForce.DAY, **fields)


def order_row(floor: Floor) -> tuple[Any, ...]:
    return floor.rows("SELECT status, filled_quantity, remaining_quantity, expires_at FROM orders")[
        0
    ]


def test_a_day_order_is_dated_when_it_is_accepted_and_expires_with_a_quote_of_any_symbol(
    floor: Floor, rich: str
) -> None:
    with floor.engine() as engine:
        deal(engine, day_order(rich))
        assert order_row(floor) == ("new", 0, 100_000, DAY_END)
        floor.now = DAY_END - timedelta(seconds=1)
        floor.quote(engine, "USDJPY", "150.000", "150.010")
    assert order_row(floor) == ("expired", 0, 0, DAY_END)
    assert floor.broken_laws() == {}


def test_an_order_whose_end_is_not_booked_yet_is_not_proposed_with_every_quote(
    floor: Floor, rich: str
) -> None:
    with floor.engine() as engine:
        deal(engine, day_order(rich))
        with floor.session.transaction():
            floor.session.execute("SELECT FROM accounts WHERE id = %s FOR UPDATE", (rich,))
            proposed = []
            for seconds in (0, 1, 59, 60):
                now = DAY_END + timedelta(seconds=seconds)
                quote = Quote("USDJPY", Decimal("150.000"), Decimal("150.010"), now)
                proposed.append(engine.on_quote(quote))
        engine.wait_until_idle()
    assert proposed == [1, 0, 0, 1]
    assert order_row(floor)[0] == "expired"


def test_an_order_is_expired_once_and_not_before_its_time(floor: Floor, rich: str) -> None:
    with floor.engine() as engine:
        order_id = deal(engine, day_order(rich)).order_id
        expire = ExpireOrder(account_id=rich, order_id=order_id)
        counts = row_counts(floor.session)
        early = ask(engine, expire)
        assert row_counts(floor.session) == counts
        floor.now = DAY_END
        floor.quote(engine, "USDJPY", "150.000", "150.010")
        counts = row_counts(floor.session)
        again = ask(engine, expire)
    assert isinstance(early, NothingDone)
    assert isinstance(again, NothingDone)
    assert row_counts(floor.session) == counts


def test_an_order_that_has_expired_is_neither_triggered_nor_canceled(
    floor: Floor, rich: str
) -> None:
    with floor.engine() as engine:
        order_id = deal(engine, day_order(rich, client_order_id="mine")).order_id
        engine.market.advance(DAY_END)
        report = ask(engine, TriggerOrder(account_id=rich, order_id=order_id))
        late = refusal(lambda: ask(engine, CancelOrder(account_id=rich, client_order_id="mine")))
    assert isinstance(report, OrderReport)
    assert report.status is OrderStatus.EXPIRED
    assert late.code is ErrorCode.ORDER_ENDED
    assert floor.position(rich) == 0
    assert floor.broken_laws() == {}


def test_what_expired_while_the_engine_was_away_expires_with_its_first_quote(
    floor: Floor, rich: str
) -> None:
    with floor.engine() as engine:
        deal(engine, day_order(rich))
    floor.now = DAY_END + timedelta(days=2)
    with floor.engine(eurusd=("1.09880", "1.09890")) as restarted:
        restarted.wait_until_idle()
    assert order_row(floor)[0] == "expired"
    assert floor.position(rich) == 0


def test_a_partly_filled_order_expires_with_what_it_has(floor: Floor, rich: str) -> None:
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        until = floor.now + timedelta(minutes=1)
        order = buy(
            rich,
            1_500_000,
            limit_price="1.10010",
            time_in_force=TimeInForce.GTD,
            expires_at=until,
        )
        assert deal(engine, order).filled_quantity == 1_000_000
        floor.now = until
        floor.quote(engine, "EURUSD", "1.10000", "1.10010")
    assert order_row(floor)[:3] == ("expired", 1_000_000, 0)
    assert floor.position(rich) == 1_000_000
    assert floor.broken_laws() == {}


def test_an_order_of_book_a_that_found_nobody_rests_until_it_expires(
    engine_database: str, engine: Session
) -> None:
    floor = Floor.opened(engine_database, engine, [ONE])
    account = floor.account("1000000", client_class=ClientClass.PROFESSIONAL, book=Book.A)
    with floor.engine(eurusd=("1.10000", "1.10010")) as running:
        deal(running, buy(account, 2_000_000, limit_price="1.10010", time_in_force=TimeInForce.DAY))
        assert order_row(floor)[0] == "partially_filled"
        floor.now = DAY_END
        floor.quote(running, "EURUSD", "1.11000", "1.11010")
    assert order_row(floor)[:3] == ("expired", 1_000_000, 0)
    assert floor.broken_laws() == {}


def test_a_day_order_again_under_its_key_is_the_first_one_even_after_its_day(
    floor: Floor, rich: str
) -> None:
    first = day_order(rich, client_order_id="mine")
    dated = buy(
        rich,
        client_order_id="dated",
        limit_price="1.09900",
        time_in_force=TimeInForce.GTD,
        expires_at=DAY_END,
    )
    with floor.engine() as engine:
        for command in (first, dated):
            deal(engine, command)
        floor.now = DAY_END
        floor.quote(engine, "USDJPY", "150.000", "150.010")
        for command in (first, dated):
            report = deal(engine, command)
            assert (report.is_replay, report.status) == (True, OrderStatus.EXPIRED)
        other = buy(
            rich,
            client_order_id="dated",
            limit_price="1.09900",
            time_in_force=TimeInForce.GTD,
            expires_at=DAY_END + timedelta(hours=1),
        )
        assert refusal(lambda: deal(engine, other)).code is ErrorCode.ORDER_DUPLICATE_DIFFERS


def test_an_order_cannot_be_dated_before_the_market_has_a_time(floor: Floor, rich: str) -> None:
    with floor.engine(eurusd=None) as engine:
        counts = row_counts(floor.session)
        error = refusal(lambda: deal(engine, day_order(rich)))
    assert error.code is ErrorCode.ORDER_PRICE_STALE
    assert error.hint == "Try again when quotes arrive."
    assert row_counts(floor.session) == counts


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"time_in_force": TimeInForce.GTD}, ErrorCode.ORDER_FIELDS_CONTRADICT),
        (
            {"time_in_force": TimeInForce.DAY, "expires_at": DAY_END},
            ErrorCode.ORDER_FIELDS_CONTRADICT,
        ),
        ({"expires_at": DAY_END}, ErrorCode.ORDER_FIELDS_CONTRADICT),
        (
            {"time_in_force": TimeInForce.GTD, "expires_at": DAY_END.replace(tzinfo=None)},
            ErrorCode.ORDER_EXPIRY_MALFORMED,
        ),
        (
            {"time_in_force": TimeInForce.GTD, "expires_at": datetime(2020, 1, 1, tzinfo=UTC)},
            ErrorCode.ORDER_EXPIRY_PAST,
        ),
    ],
)
def test_an_expiry_that_means_nothing_is_refused_without_a_trace(
    floor: Floor, rich: str, fields: dict[str, Any], code: ErrorCode
) -> None:
    with floor.engine() as engine:
        counts = row_counts(floor.session)
        error = refusal(lambda: deal(engine, buy(rich, limit_price="1.09900", **fields)))
        assert row_counts(floor.session) == counts
    assert error.code is code
    assert error.hint.startswith("Give ")


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("time_in_force = 'day'", "orders_expires_iff_dated"),
        ("expires_at = clock_timestamp()", "orders_expires_iff_dated"),
        ("time_in_force = 'gtd', expires_at = 'infinity'", "finite_instant_finite"),
    ],
)
def test_the_database_keeps_an_expiry_with_the_orders_that_have_one(
    floor: Floor, rich: str, change: str, constraint: str
) -> None:
    with floor.engine() as engine:
        deal(engine, buy(rich, limit_price="1.09900"))
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        floor.session.execute(f"UPDATE orders SET {change}".encode())
    assert caught.value.diag.constraint_name == constraint
    assert Decimal(floor.one("SELECT remaining_quantity FROM orders")) == 100_000
