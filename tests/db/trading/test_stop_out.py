"""Stop-outs: no more than needed, once however many processes see it, and people told if stuck."""

import subprocess
import sys
from decimal import Decimal

import pytest

from tests.floor import Floor, ask, buy, deal, sell
from tests.style.house import ROOT
from tradewright.liquidity.sessions import FOREX_WEEK
from tradewright.risk.model import ClientClass, HedgedMargin
from tradewright.risk.stop_out import StopOutMode
from tradewright.trading.groups import AccountGroup, PositionMode, set_group
from tradewright.trading.model import CheckMargin, MarginReport
from tradewright.trading.registry import open_sessions

PROFESSIONAL = ClientClass.PROFESSIONAL

ENGINE = """
import sys
from decimal import Decimal
from tests.floor import DAY, Floor
from datetime import timedelta
from tradewright.liquidity.model import Quote
from tradewright.postgres.connect import connect

with connect(sys.argv[1], autocommit=True) as session:
    floor = Floor(sys.argv[1], session)
    with floor.build(writers=2) as engine:
        quote = lambda bid, ask, second: engine.on_quote(
            Quote("EURUSD", Decimal(bid), Decimal(ask), DAY + timedelta(seconds=second)))
        quote("1.10000", "1.10010", 1)
        print("ready", flush=True)
        sys.stdin.readline()
        for second in range(2, 12):
            quote("1.05000", "1.05010", second)
        engine.wait_until_idle()
"""


def test_processes_that_see_the_same_fall_at_once_stop_each_account_out_once(floor: Floor) -> None:
    accounts = [floor.account("4000") for _ in range(20)]
    with floor.engine() as engine:
        for account in accounts:
            deal(engine, buy(account))
            deal(engine, buy(account, 1000, limit_price="1.00000"))
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ENGINE, floor.conninfo],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("fall\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    each = "SELECT account_id, count(*) FROM {} GROUP BY 1 HAVING count(*) <> 1"
    assert floor.rows(each.format("stop_outs")) == []
    assert floor.rows(each.format("orders WHERE origin = 'stop_out'")) == []
    assert floor.one("SELECT count(*) FROM stop_outs") == 20
    assert [floor.position(account) for account in accounts] == [0] * 20
    assert floor.one("SELECT sum(forgiven) FROM stop_outs") == 20 * Decimal("1010.00")
    assert floor.broken_laws() == {}


def test_a_smart_stop_out_closes_just_enough_of_the_largest_margin(floor: Floor) -> None:
    """200,000 and 50,000 USDJPY at 1:500 use 500; at 149.550 equity is 247.74, level 49.5."""
    group = AccountGroup(
        code="smart", position_mode=PositionMode.HEDGING, stop_out_mode=StopOutMode.SMART
    )
    set_group(floor.session, group)
    account = floor.account("1000", client_class=PROFESSIONAL, leverage=500, group="smart")
    with floor.engine(eurusd=None) as engine:
        floor.quote(engine, "USDJPY", "149.990", "150.000")
        deal(engine, buy(account, 200_000, symbol="USDJPY"))
        deal(engine, buy(account, 50_000, symbol="USDJPY"))
        floor.quote(engine, "USDJPY", "149.550", "149.560")
        report = ask(engine, CheckMargin(account_id=account))
    # Used must be 495.49 or less: 3 steps of 2, of the larger position; 2 would leave 49.95.
    left = floor.rows("SELECT quantity FROM positions WHERE is_open ORDER BY quantity")
    assert left == [(Decimal(50_000),), (Decimal(197_000),)]
    assert isinstance(report, MarginReport)
    assert report.margin_level is not None
    assert report.margin_level.quantize(Decimal("0.01")) == Decimal("50.15")
    assert floor.rows("SELECT positions_closed FROM stop_outs") == [(1,)]
    assert floor.broken_laws() == {}


def test_a_smart_stop_out_without_equity_closes_everything(floor: Floor) -> None:
    set_group(floor.session, AccountGroup(code="smart", stop_out_mode=StopOutMode.SMART))
    account = floor.account("4000", group="smart")
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account))
        floor.quote(engine, "EURUSD", "1.05000", "1.05010")
    assert floor.position(account) == 0
    assert floor.balance(account) == 0
    assert floor.broken_laws() == {}


def test_outside_the_session_nothing_is_closed_and_people_are_told_once(floor: Floor) -> None:
    account = floor.account("4000")
    floor.now = floor.now.replace(day=16, hour=21)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        open_sessions(floor.session, "EURUSD", [FOREX_WEEK])
        deal(engine, buy(account))
        floor.now = floor.now.replace(hour=22, minute=1)
        for _ in range(3):
            floor.quote(engine, "EURUSD", "1.07000", "1.07010")
            deal(engine, sell(account, 1000, limit_price="1.20000"))
    assert floor.position(account) == 100_000
    kinds = floor.rows("SELECT kind, severity, about FROM alerts WHERE kind = 'account_stuck'")
    assert kinds == [("account_stuck", "critical", account)]
    assert floor.one("SELECT count(*) FROM orders WHERE origin = 'stop_out'") == 0


@pytest.mark.parametrize(
    ("rule", "used"),
    [
        (HedgedMargin.SUM, "1760.08"),
        (HedgedMargin.LARGER_LEG, "1100.05"),
        (HedgedMargin.NET, "440.02"),
    ],
)
def test_a_hedged_pair_binds_what_its_group_says(
    floor: Floor, rule: HedgedMargin, used: str
) -> None:
    """100,000 long and 60,000 short at 1.10005 and 1:100; what is called at is written down."""
    mode = PositionMode.HEDGING
    set_group(floor.session, AccountGroup(code="pairs", position_mode=mode, hedged_margin=rule))
    account = floor.account("3000", client_class=PROFESSIONAL, leverage=100, group="pairs")
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account, 100_000))
        deal(engine, sell(account, 60_000))
        floor.session.execute("UPDATE accounts SET margin_call_level = 99999")
        ask(engine, CheckMargin(account_id=account))
    assert floor.one("SELECT used_margin FROM margin_calls") == Decimal(used)
    assert floor.broken_laws() == {}
