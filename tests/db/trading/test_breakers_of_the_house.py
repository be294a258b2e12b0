"""Breakers count what all engines of the house have booked, each thing once."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.db.trading.test_breaker_kinds import listed, moves, settings
from tests.db.trading.test_breakers import code
from tests.db.trading.test_limits import nodes
from tests.fix_floor import until
from tests.floor import ONE, Floor, buy
from tradewright.core.clock import pause
from tradewright.core.errors import ErrorCode
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.risk.breakers import BreakerKind
from tradewright.routing.model import Book
from tradewright.trading.engine import Engine

Two = tuple[Engine, Engine]


@pytest.fixture
def two(floor: Floor) -> Iterator[Two]:
    """Run two engines that know of each other, with a price."""
    with floor.engine() as first, floor.engine() as second:
        floor.quote(first, "EURUSD", "1.10000", "1.10010")
        until(lambda: len(first.reference.engines) == 2)
        yield first, second


@pytest.mark.parametrize("symbol", ["EURUSD", None])
def test_a_volume_is_that_of_the_house(floor: Floor, two: Two, symbol: str | None) -> None:
    """5,000 EUR with each engine: neither alone reaches 10,000 USD."""
    listed(floor, settings(BreakerKind.VOLUME, "10000", currency="USD", symbol=symbol))
    account = floor.account("100000")
    for engine in two:
        assert code(engine, buy(account, 5000)) is None
    until(lambda: moves(floor))
    for engine in two:
        assert code(engine, buy(account, 1000)) is ErrorCode.BREAKER_TRIGGERED
    assert moves(floor) == ["triggered"]
    reason = floor.one("SELECT reason FROM circuit_breaker_events WHERE seq = 2")
    assert reason == "volume of 11000.50 USD within 30 s"
    assert floor.broken_laws() == {}


def test_what_an_engine_has_counted_itself_is_not_counted_again(floor: Floor, two: Two) -> None:
    listed(floor, settings(BreakerKind.VOLUME, "10000", currency="USD"))
    account = floor.account("100000")
    assert code(two[0], buy(account, 4000)) is None
    pause(2.5)
    assert code(two[0], buy(account, 4000)) is None
    pause(2.5)
    assert moves(floor) == []


def test_a_volume_of_another_symbol_or_of_before_the_window_is_left_out(
    floor: Floor, two: Two
) -> None:
    listed(floor, settings(BreakerKind.VOLUME, "1000", currency="USD", symbol="USDJPY"))
    listed(
        floor, replace(settings(BreakerKind.VOLUME, "10000", currency="USD"), code="all-of-them")
    )
    account = floor.account("100000")
    assert code(two[0], buy(account, 5000)) is None
    pause(1.5)
    for _ in range(32):
        for engine in two:
            floor.quote(engine, "EURUSD", "1.10000", "1.10010")
    assert code(two[1], buy(account, 5000)) is None
    pause(1.5)
    assert moves(floor) == []


def test_a_rate_of_errors_is_that_of_the_house(engine_database: str, engine: Session) -> None:
    """Six rejections with each engine: neither alone has the ten that make a rate."""
    floor = Floor.opened(engine_database, engine, (replace(ONE, reject_probability=Decimal(1)),))
    listed(floor, settings(BreakerKind.ERROR_RATE, "50"))
    account = floor.account("1000000", book=Book.A)
    with floor.engine() as first, floor.engine() as second:
        until(lambda: len(first.reference.engines) == 2)
        for running in (first, second) * 6:
            code(running, buy(account, 1000))
        until(lambda: moves(floor))
    assert moves(floor) == ["triggered"]


def test_what_an_engine_deals_whose_clock_is_behind_is_counted(floor: Floor) -> None:
    """Its keys are of some seconds ago by the server's clock, as its own was when it started."""
    account = floor.account("100000")
    with floor.engine() as running:
        code(running, buy(account, 1000))
        session = floor.session
        session.execute("SET session_replication_role = replica")
        query = load_queries("tradewright.trading")["counted_by_the_house"].encode()
        columns = "order_id, quantity, price, provider_id, quoted_at"
        session.execute(
            f"INSERT INTO order_fills (id, {columns})"
            f" SELECT uuidv7(interval '-20 seconds'), {columns} FROM order_fills".encode()
        )
        assert [row[4] for row in session.execute(query)] == [1000]
        session.execute(
            "INSERT INTO engines (id, providers) VALUES (uuidv7(interval '-20 seconds'), '{}')"
        )
        assert [row[4] for row in session.execute(query)] == [1000, 1000]


def test_only_the_last_seconds_are_read_of_what_was_ever_dealt(floor: Floor) -> None:
    account = floor.account("100000")
    with floor.engine() as running:
        code(running, buy(account, 1000))
    session = floor.session
    columns = floor.one(
        "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attnum > 0"
        " AND attrelid = 'order_fills'::regclass AND attname <> 'id'"
        " AND attgenerated = ''"
    )
    session.execute("SET session_replication_role = replica")
    session.execute(
        f"INSERT INTO order_fills (id, {columns})"
        f" SELECT uuidv7(n * interval '-1 minute'), {columns} FROM order_fills,"
        " generate_series(1, 20000) AS n".encode()
    )
    session.execute("ANALYZE order_fills")
    query = load_queries("tradewright.trading")["counted_by_the_house"]
    ((plan,),) = session.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}".encode()).fetchall()
    reads = [one for one in nodes(plan[0]["Plan"]) if one.get("Relation Name") == "order_fills"]
    assert [one["Index Name"] for one in reads] == ["order_fills_pkey"]
    assert reads[0]["Actual Rows"] + reads[0].get("Rows Removed by Filter", 0) <= 1
