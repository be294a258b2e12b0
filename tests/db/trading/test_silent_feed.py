"""While the feed is silent an order that binds margin comes to rest by what was known last.

A professional's lot of EURUSD at 1:100 binds 1,100.05 at the last price, and 1,050 at its own 1.05.
"""

from datetime import timedelta
from typing import Any

import pytest

from tests.db.trading.test_in_flight import refusals
from tests.db.trading.test_pending_margin import DENIED, LOT, account_of, bid, offer
from tests.db.trading.test_replacing import other
from tests.floor import DAY, Floor, ask, buy, deal, order
from tradewright.core.errors import ErrorCode
from tradewright.liquidity.model import Side
from tradewright.postgres.queries import load_queries
from tradewright.trading.engine import Engine
from tradewright.trading.model import OrderType, TimeInForce

WEEKEND = timedelta(days=2)
QUOTED_AT = (DAY + timedelta(seconds=1)).isoformat()
LAST = {"EURUSD": ["1.10000", "1.10010", QUOTED_AT]}
SILENT = [("1.10000", "1.10010"), None]


def fall_silent(floor: Floor, engine: Engine) -> None:
    floor.now += WEEKEND
    engine.take_time(floor.now)


def noted(floor: Floor, event: str = "new") -> list[Any]:
    rows = floor.rows("SELECT details FROM order_events WHERE event_type = %s ORDER BY 1", event)
    return [details for (details,) in rows]


def test_it_binds_at_the_last_price_and_that_is_written_down_with_its_time(floor: Floor) -> None:
    account = account_of(floor)
    with floor.engine() as engine:
        fall_silent(floor, engine)
        assert refusals(engine, bid(account, 5), bid(account, 4)) == [None, None]
        assert refusals(engine, bid(account, 1)) == [DENIED]
        assert refusals(engine, offer(account, 9)) == [None]
    assert noted(floor) == [{"last_prices": LAST, "own_prices": {}}] * 3
    assert floor.broken_laws() == {}


def test_a_symbol_that_has_had_no_price_is_worth_what_its_orders_say(floor: Floor) -> None:
    account = account_of(floor)
    with floor.engine(eurusd=None) as engine:
        assert refusals(engine, bid(account, 9), bid(account, 1)) == [None, DENIED]
        assert refusals(engine, offer(account, 1)) == [DENIED]  # at its 1.15 nine bind 10,350
        sleeping = buy(
            account,
            LOT,
            order_type=OrderType.STOP,
            time_in_force=TimeInForce.GTC,
            stop_price="1.20000",
        )
        assert refusals(engine, sleeping) == [DENIED]
    assert noted(floor) == [{"last_prices": {}, "own_prices": {"EURUSD": "1.05000"}}]


def test_its_own_price_is_converted_at_the_last_rate(floor: Floor) -> None:
    """A lot of EURGBP at 0.80 is 80,000 GBP, 104,004 USD, and binds 1,040.04."""
    account = account_of(floor, "1040.04")
    pounds = order(account, Side.BUY, LOT, symbol="EURGBP", limit_price="0.80000")
    with floor.engine(eurusd=None) as engine:
        floor.quote(engine, "GBPUSD", "1.30000", "1.30010")
        fall_silent(floor, engine)
        more = order(account, Side.BUY, 1_000, symbol="EURGBP", limit_price="0.80000")
        assert refusals(engine, pounds, more) == [None, DENIED]
    quoted = {"GBPUSD": ["1.30000", "1.30010", QUOTED_AT]}
    assert noted(floor) == [{"last_prices": quoted, "own_prices": {"EURGBP": "0.80000"}}]


def test_without_any_rate_into_the_currency_of_the_account_it_is_denied(floor: Floor) -> None:
    account = account_of(floor)
    pounds = order(account, Side.BUY, LOT, symbol="EURGBP", limit_price="0.80000")
    with floor.engine(eurusd=None) as engine:
        assert refusals(engine, pounds) == [ErrorCode.ORDER_RATE_MISSING]


def test_what_a_client_asks_for_is_never_what_a_position_is_worth(floor: Floor) -> None:
    account = account_of(floor)
    with floor.engine() as engine:
        deal(engine, buy(account))
    with floor.engine(eurusd=None) as engine:
        dear = buy(account, LOT, limit_price="9.00000")
        assert refusals(engine, dear) == [ErrorCode.ORDER_PRICE_STALE]
        yen = order(account, Side.BUY, LOT, symbol="USDJPY", limit_price="100.000")
        assert refusals(engine, yen) == [ErrorCode.ORDER_RATE_MISSING]


def test_what_is_open_is_worth_its_last_price(floor: Floor) -> None:
    """Long one lot and 1,000 down, 9,000 of equity carry eight lots at 1.09005 and no nine."""
    account = account_of(floor)
    with floor.engine() as engine:
        deal(engine, buy(account))
        floor.quote(engine, "EURUSD", "1.09010", "1.09020")
        fall_silent(floor, engine)
        assert refusals(engine, bid(account, 7), bid(account, 1)) == [None, DENIED]


def test_when_its_price_comes_it_is_asked_at_that(floor: Floor) -> None:
    """Nine lots to sell at 1.05 bind 9,450, and 10,350.90 when the first price is 1.15."""
    account = account_of(floor)
    with floor.engine(eurusd=None) as engine:
        assert refusals(engine, offer(account, 9, limit_price="1.05000")) == [None]
        floor.quote(engine, "EURUSD", "1.15000", "1.15010")
    assert floor.rows("SELECT status, refusal_code FROM orders") == [("rejected", str(DENIED))]
    assert floor.broken_laws() == {}


@pytest.mark.parametrize("eurusd", SILENT)
def test_a_replacement_is_asked_by_what_was_known_last_too(
    floor: Floor, eurusd: tuple[str, str] | None
) -> None:
    account = account_of(floor)
    with floor.engine(eurusd=eurusd) as engine:
        fall_silent(floor, engine)
        deal(engine, bid(account, 5, client_order_id="a"))
        ask(engine, other(account, "a", "b", quantity="900000"))
    (details,) = noted(floor, "replaced")
    assert details["last_prices"] == ({} if eurusd is None else LAST)
    assert details["quantity"] == "900000"


@pytest.mark.parametrize("eurusd", SILENT)
def test_what_would_deal_waits_for_a_price_of_now(
    floor: Floor, eurusd: tuple[str, str] | None
) -> None:
    account = account_of(floor)
    with floor.engine(eurusd=eurusd) as engine:
        fall_silent(floor, engine)
        assert refusals(engine, buy(account)) == [ErrorCode.ORDER_PRICE_STALE]


def test_a_price_that_was_known_last_is_none_that_an_order_has_seen(floor: Floor) -> None:
    with floor.engine() as engine:
        fall_silent(floor, engine)
        deal(engine, bid(account_of(floor), 1))
    assert (
        floor.session.execute(load_queries("tradewright.trading")["last_seen_quotes"]).fetchall()
        == []
    )


def test_in_other_groups_nothing_is_reckoned_and_nothing_written_down(floor: Floor) -> None:
    with floor.engine() as engine:
        fall_silent(floor, engine)
        deal(engine, bid(floor.account(), 100))
    assert noted(floor) == [{}]
