"""Accounts that cannot be valued: people are told within a second, and told when it is over."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.floor import AGE_MAX, Floor, buy, deal
from tradewright.liquidity.model import Quote
from tradewright.liquidity.sessions import FOREX_WEEK
from tradewright.risk import alerts
from tradewright.trading.engine import Engine
from tradewright.trading.model import OrderStatus
from tradewright.trading.registry import open_sessions

OTHER = ("GBPUSD", "1.30000", "1.30010")
EURUSD = ("EURUSD", "1.10000", "1.10010")


def told(floor: Floor) -> list[tuple[Any, ...]]:
    return floor.rows(
        "SELECT about, severity, resolved_at IS NOT NULL FROM alerts"
        " WHERE kind = 'account_unpriced' ORDER BY id"
    )


def pass_time(floor: Floor, engine: Engine, by: timedelta) -> None:
    """Let the market's time go on by quotes of a symbol that nobody holds."""
    floor.now += by
    engine.on_quote(Quote(OTHER[0], Decimal(OTHER[1]), Decimal(OTHER[2]), floor.now))
    engine.wait_until_idle()


def test_a_price_that_grows_stale_is_told_within_a_second_and_over_with_the_next(
    floor: Floor,
) -> None:
    account = floor.account()
    with floor.engine() as engine:
        deal(engine, buy(account))
        pass_time(floor, engine, AGE_MAX)
        assert told(floor) == []
        for _ in range(3):
            pass_time(floor, engine, timedelta(seconds=1))
            assert told(floor) == [(account, "critical", False)]
        assert "EURUSD" in alerts.read_alerts(floor.session, count_max=9)[0].what
        floor.quote(engine, *EURUSD)
        assert told(floor) == [(account, "critical", True)]
        assert alerts.read_alerts(floor.session, count_max=9) == []
        pass_time(floor, engine, AGE_MAX + timedelta(seconds=1))
        assert told(floor) == [(account, "critical", True), (account, "critical", False)]
    assert floor.broken_laws() == {}


def test_a_missing_rate_is_told_as_a_missing_price_is(floor: Floor) -> None:
    """EURUSD goes on; what turns dollars into the account's pounds does not."""
    account = floor.account(currency="GBP")
    with floor.engine() as engine:
        floor.quote(engine, *OTHER)
        assert deal(engine, buy(account, 1000)).status is OrderStatus.FILLED
        floor.now += AGE_MAX
        floor.quote(engine, *EURUSD)
        floor.quote(engine, *EURUSD)
        assert told(floor) == [(account, "critical", False)]
        floor.quote(engine, *OTHER)
        floor.quote(engine, *EURUSD)
        assert told(floor) == [(account, "critical", True)]


def test_without_any_quote_the_gateways_clock_tells(floor: Floor) -> None:
    account = floor.account()
    with floor.engine() as engine:
        deal(engine, buy(account))
        engine.take_time(floor.now + AGE_MAX + timedelta(seconds=1))
        engine.wait_until_idle()
        assert told(floor) == [(account, "critical", False)]


def test_while_an_instrument_is_closed_no_price_is_expected(floor: Floor) -> None:
    account = floor.account()
    floor.now = floor.now.replace(day=16, hour=21, minute=59)  # a Friday, before New York closes
    with floor.engine() as engine:
        open_sessions(floor.session, "EURUSD", [FOREX_WEEK])
        deal(engine, buy(account))
        pass_time(floor, engine, timedelta(hours=1))
        assert told(floor) == []
        floor.now = floor.now.replace(day=18, hour=22, minute=1)  # Sunday, New York has opened
        pass_time(floor, engine, timedelta(0))
        assert told(floor) == [(account, "critical", False)]


def test_an_engine_that_starts_knows_whom_the_one_before_it_has_told_of(floor: Floor) -> None:
    account = floor.account()
    with floor.engine() as engine:
        deal(engine, buy(account))
        pass_time(floor, engine, AGE_MAX + timedelta(seconds=1))
    with floor.engine(eurusd=None) as engine:
        pass_time(floor, engine, timedelta(seconds=1))
        assert told(floor) == [(account, "critical", False)]
        floor.quote(engine, *EURUSD)
        assert told(floor) == [(account, "critical", True)]
