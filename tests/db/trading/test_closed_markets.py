"""Accounts of which one market is closed or silent: the others are looked after, and it is left."""

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.floor import AGE_MAX, Floor, buy, deal, sell
from tests.style.house import ROOT
from tradewright.core.clock import pause
from tradewright.liquidity.sessions import FOREX_WEEK
from tradewright.trading.engine import Engine
from tradewright.trading.model import OrderStatus
from tradewright.trading.registry import open_sessions

NIGHT = timedelta(hours=15)
"""From Friday evening to Saturday; GBPUSD stands for what is traded all week."""


def hold_both(floor: Floor, engine: Engine, account: str) -> None:
    """Buy 1,000 EURUSD and 200,000 GBPUSD on a Friday, before New York closes."""
    floor.now = floor.now.replace(day=16, hour=21)
    floor.quote(engine, "EURUSD", "1.10000", "1.10010")
    floor.quote(engine, "GBPUSD", "1.30000", "1.30010")
    assert deal(engine, buy(account, 1_000)).status is OrderStatus.FILLED
    assert deal(engine, buy(account, 200_000, symbol="GBPUSD")).status is OrderStatus.FILLED


def kinds(floor: Floor) -> list[str]:
    return [row[0] for row in floor.rows("SELECT kind FROM alerts ORDER BY id")]


@pytest.mark.parametrize("is_closed", [True, False])
def test_what_has_a_price_is_closed_by_the_last_price_of_what_has_none(
    floor: Floor, *, is_closed: bool
) -> None:
    """Of 10,000 USD 5,900 are left at 1.28: called, at 68 percent; at 1.27 level 44."""
    account = floor.account("10000")
    with floor.engine() as engine:
        if is_closed:
            open_sessions(floor.session, "EURUSD", [FOREX_WEEK])
        hold_both(floor, engine, account)
        floor.now += NIGHT if is_closed else AGE_MAX
        floor.quote(engine, "GBPUSD", "1.28000", "1.28010")
        assert floor.one("SELECT count(*) FROM margin_calls") == 1
        assert floor.one("SELECT count(*) FROM stop_outs") == 0
        floor.quote(engine, "GBPUSD", "1.27000", "1.27010")
    assert floor.position(account, "GBPUSD") == 0
    assert floor.position(account) == 1_000
    assert floor.one("SELECT positions_closed FROM stop_outs") == 1
    told = ["account_stopped_out"] if is_closed else ["symbol_unpriced", "account_stopped_out"]
    assert kinds(floor) == told
    assert floor.broken_laws() == {}


def test_what_is_closed_is_never_dealt_and_people_are_told(floor: Floor) -> None:
    """Without GBPUSD the account is still below its level: EURUSD has no price to close at."""
    account = floor.account("10000")
    with floor.engine() as engine:
        open_sessions(floor.session, "EURUSD", [FOREX_WEEK])
        hold_both(floor, engine, account)
        floor.now += NIGHT
        floor.quote(engine, "GBPUSD", "1.25000", "1.25010")
        floor.quote(engine, "GBPUSD", "1.25000", "1.25010")
    assert floor.position(account, "GBPUSD") == 0
    assert floor.position(account) == 1_000
    assert kinds(floor) == ["account_stopped_out", "account_stuck"]
    assert floor.balance(account) < 0


@pytest.mark.parametrize("how", ["a stop that only reduces", "a plain order"])
def test_what_only_reduces_passes_though_another_market_is_closed(floor: Floor, how: str) -> None:
    account = floor.account("100000")
    with floor.engine() as engine:
        open_sessions(floor.session, "EURUSD", [FOREX_WEEK])
        hold_both(floor, engine, account)
        if how == "a stop that only reduces":
            stop = {"stop_price": "1.28000", "is_reduce_only": True}
            deal(engine, sell(account, 200_000, symbol="GBPUSD", **stop))
        floor.now += NIGHT
        floor.quote(engine, "GBPUSD", "1.27900", "1.27910")
        if how == "a plain order":
            deal(engine, sell(account, 200_000, symbol="GBPUSD"))
        denied = deal(engine, buy(account, 1_000, symbol="GBPUSD"))
    assert floor.position(account, "GBPUSD") == 0
    assert str(denied.refusal_code) == "ORDER_RATE_MISSING"
    assert floor.broken_laws() == {}


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_an_engine_that_starts_in_a_closed_market_knows_its_last_prices(
    floor: Floor, *, how: str
) -> None:
    """The same fall at the weekend, seen by an engine that never had a price of EURUSD."""
    account = floor.account("10000")
    open_sessions(floor.session, "EURUSD", [FOREX_WEEK])
    if how == "stopped":
        with floor.engine() as engine:
            hold_both(floor, engine, account)
    else:
        hold_both_and_be_killed(floor, account)
    floor.now += NIGHT
    with floor.engine(eurusd=None) as engine:
        floor.quote(engine, "GBPUSD", "1.28000", "1.28010")
        floor.quote(engine, "GBPUSD", "1.27000", "1.27010")
        assert kinds(floor) == ["account_stopped_out"]
    assert floor.position(account, "GBPUSD") == 0
    assert floor.position(account) == 1_000
    assert floor.broken_laws() == {}


PROCESS = """
import sys
from tests.db.trading.test_closed_markets import hold_both
from tests.floor import Floor
from tradewright.postgres.connect import connect
from tradewright.trading import vigil

vigil.PRICE_BEATS = 1
with connect(sys.argv[1], autocommit=True) as session:
    floor = Floor(sys.argv[1], session)
    with floor.build() as engine:
        hold_both(floor, engine, sys.argv[2])
        print("holding", flush=True)
        sys.stdin.readline()
"""


def hold_both_and_be_killed(floor: Floor, account: str) -> None:
    """Let a process hold both, and kill it when it has kept what it knows of prices."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROCESS, floor.conninfo, account],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "holding\n"
        until(lambda: floor.one("SELECT count(*) FROM last_prices") == 2)
    finally:
        process.kill()
        process.communicate(timeout=60)
    floor.now = floor.now.replace(day=16, hour=21)


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, ten seconds at most."""
    for _ in range(100):
        if is_so():
            return
        pause(0.1)
    raise AssertionError("did not become so")


def test_in_session_a_price_from_before_the_start_counts_for_nothing(floor: Floor) -> None:
    """It may be hours old, and the next one comes at once: nobody is closed by it meanwhile."""
    account = floor.account("10000")
    with floor.engine() as engine:
        hold_both(floor, engine, account)
    with floor.engine(eurusd=None) as engine:
        floor.quote(engine, "GBPUSD", "1.27000", "1.27010")
        floor.quote(engine, "GBPUSD", "1.27000", "1.27010")
        assert floor.position(account, "GBPUSD") == 200_000
        assert kinds(floor) == ["symbol_unpriced"]
        floor.quote(engine, "EURUSD", "1.10000", "1.10010")
    assert floor.position(account, "GBPUSD") == 0


def test_a_price_that_was_never_known_is_told_while_anything_is_traded(floor: Floor) -> None:
    account = floor.account("10000")
    with floor.engine() as engine:
        open_sessions(floor.session, "EURUSD", [FOREX_WEEK])
        hold_both(floor, engine, account)
    floor.now += NIGHT
    forget_prices(floor)
    with floor.engine(eurusd=None) as engine:
        floor.quote(engine, "GBPUSD", "1.28000", "1.28010")
        floor.quote(engine, "GBPUSD", "1.27000", "1.27010")
        assert kinds(floor) == ["symbol_unpriced"]
        assert deal(engine, sell(account, 200_000, symbol="GBPUSD")).filled_quantity == Decimal(
            200_000
        )


def forget_prices(floor: Floor) -> None:
    """Take the kept prices away, as on a database that was restored from before they were kept."""
    floor.session.execute("ALTER TABLE last_prices DISABLE TRIGGER last_prices_are_kept")
    floor.session.execute("DELETE FROM last_prices")
    floor.session.execute("ALTER TABLE last_prices ENABLE TRIGGER last_prices_are_kept")


def test_of_several_engines_the_newest_price_is_kept(floor: Floor) -> None:
    with floor.engine(eurusd=None) as older:
        floor.quote(older, "EURUSD", "1.10000", "1.10010")
        with floor.engine(eurusd=None) as newer:
            floor.quote(newer, "EURUSD", "1.20000", "1.20010")
        assert floor.one("SELECT bid FROM last_prices") == Decimal("1.2")
    assert floor.rows("SELECT symbol, bid, ask FROM last_prices") == [
        ("EURUSD", Decimal("1.2"), Decimal("1.2001"))
    ]
