"""Symbols without a price that accounts are valued by: told within a second, and when over."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.floor import AGE_MAX, DAY, Floor, buy, deal, market_of, sell
from tradewright.core.defects import defect
from tradewright.liquidity.model import Quote
from tradewright.liquidity.sessions import FOREX_WEEK
from tradewright.risk import alerts
from tradewright.trading.engine import Engine
from tradewright.trading.house_commands import TellUnpriced
from tradewright.trading.model import OrderStatus
from tradewright.trading.registry import open_sessions
from tradewright.trading.unpriced_watch import UnpricedWatch

OTHER = ("GBPUSD", "1.30000", "1.30010")
EURUSD = ("EURUSD", "1.10000", "1.10010")


def told(floor: Floor) -> list[tuple[Any, ...]]:
    return floor.rows(
        "SELECT about, severity, resolved_at IS NOT NULL FROM alerts"
        " WHERE kind = 'symbol_unpriced' ORDER BY id"
    )


def words(floor: Floor) -> str:
    """Return what is told of whom it concerns, in the alert that waits."""
    [alert] = alerts.read_alerts(floor.session, count_max=9)
    what, told_of = alert.what.split(": ")
    assert what.endswith("has no price")
    return told_of


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
            assert told(floor) == [("EURUSD", "critical", False)]
        assert "EURUSD" in alerts.read_alerts(floor.session, count_max=9)[0].what
        floor.quote(engine, *EURUSD)
        assert told(floor) == [("EURUSD", "critical", True)]
        assert alerts.read_alerts(floor.session, count_max=9) == []
        pass_time(floor, engine, AGE_MAX + timedelta(seconds=1))
        assert told(floor) == [("EURUSD", "critical", True), ("EURUSD", "critical", False)]
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
        assert told(floor) == [("GBPUSD", "critical", False)]
        assert words(floor) == "1 account cannot be valued, holding 1000 long EURUSD"
        floor.quote(engine, *OTHER)
        floor.quote(engine, *EURUSD)
        assert told(floor) == [("GBPUSD", "critical", True)]


def test_however_many_accounts_lack_a_price_people_are_told_once(floor: Floor) -> None:
    accounts = [floor.account() for _ in range(3)]
    with floor.engine() as engine:
        for one in (buy(accounts[0]), buy(accounts[1], 50_000), sell(accounts[2], 2_000)):
            deal(engine, one)
        pass_time(floor, engine, AGE_MAX + timedelta(seconds=1))
        assert told(floor) == [("EURUSD", "critical", False)]
        held = "150000 long and 2000 short EURUSD"
        assert words(floor) == f"3 accounts cannot be valued, holding {held}"
        deal(engine, buy(floor.account(), 1_000, symbol=OTHER[0]))
        pass_time(floor, engine, timedelta(seconds=1))
        floor.quote(engine, *EURUSD)
        assert told(floor) == [("EURUSD", "critical", True)]


def test_two_engines_that_miss_a_price_tell_it_once_and_not_again_what_somebody_has_seen(
    floor: Floor,
) -> None:
    account = floor.account()
    with floor.engine(writers=2) as one:
        deal(one, buy(account))
        with floor.engine() as two:
            floor.now += AGE_MAX + timedelta(seconds=1)
            for engine in (one, two):
                engine.take_time(floor.now)
            one.wait_until_idle()
            two.wait_until_idle()
            assert told(floor) == [("EURUSD", "critical", False)]
            [alert] = alerts.read_alerts(floor.session, count_max=9)
            assert alerts.acknowledge(floor.session, [alert.id], actor="anna") == 1
        with floor.engine(eurusd=None) as three:
            three.take_time(floor.now)
            three.wait_until_idle()
            assert told(floor) == [("EURUSD", "critical", False)]
            floor.quote(three, *EURUSD)
            assert told(floor) == [("EURUSD", "critical", True)]


def test_what_an_engine_lacks_is_told_again_though_another_has_the_price(floor: Floor) -> None:
    account = floor.account()
    with floor.engine() as one:
        deal(one, buy(account))
        with floor.engine() as two:
            floor.now += AGE_MAX + timedelta(seconds=1)
            for engine in (one, two):
                engine.take_time(floor.now)
                engine.wait_until_idle()
            floor.quote(two, *EURUSD)
            assert told(floor) == [("EURUSD", "critical", True)]
            for seconds in (30, 31, 31):
                floor.now += timedelta(seconds=seconds)
                one.take_time(floor.now)
                one.wait_until_idle()
            assert told(floor) == [("EURUSD", "critical", True), ("EURUSD", "critical", False)]


def test_an_alert_ends_when_nobody_holds_what_has_no_price(floor: Floor) -> None:
    account = floor.account()
    with floor.engine() as engine:
        deal(engine, buy(account))
        pass_time(floor, engine, AGE_MAX + timedelta(seconds=1))
        floor.quote(engine, *EURUSD)
        deal(engine, sell(account))
        pass_time(floor, engine, AGE_MAX + timedelta(seconds=1))
        assert told(floor) == [("EURUSD", "critical", True)]


def test_what_could_not_be_written_is_told_with_the_next_look() -> None:
    watch = UnpricedWatch(market_of({}))
    watch.recall(["EURUSD"])
    [over] = watch.proposals()
    assert over == TellUnpriced(lost=(), again=("EURUSD",))
    watch.settle(over, defect("it could not be written", ValueError(), why="", hint=""))
    watch._market.advance(DAY + timedelta(seconds=1))
    assert watch.proposals() == [over]


def test_without_any_quote_the_gateways_clock_tells(floor: Floor) -> None:
    account = floor.account()
    with floor.engine() as engine:
        deal(engine, buy(account))
        engine.take_time(floor.now + AGE_MAX + timedelta(seconds=1))
        engine.wait_until_idle()
        assert told(floor) == [("EURUSD", "critical", False)]


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
        assert told(floor) == [("EURUSD", "critical", False)]


def test_an_engine_that_starts_knows_whom_the_one_before_it_has_told_of(floor: Floor) -> None:
    account = floor.account()
    with floor.engine() as engine:
        deal(engine, buy(account))
        pass_time(floor, engine, AGE_MAX + timedelta(seconds=1))
    with floor.engine(eurusd=None) as engine:
        pass_time(floor, engine, timedelta(seconds=1))
        assert told(floor) == [("EURUSD", "critical", False)]
        floor.quote(engine, *EURUSD)
        assert told(floor) == [("EURUSD", "critical", True)]
