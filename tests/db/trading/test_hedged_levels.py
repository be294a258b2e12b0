"""Levels of what is hedged so that it uses no margin: no call, a stop-out below zero, no gifts."""

from datetime import timedelta
from decimal import Decimal

from tests.floor import Floor, ask, buy, deal, sell
from tradewright.liquidity.model import Quote
from tradewright.liquidity.sessions import FOREX_WEEK
from tradewright.risk.model import HedgedMargin
from tradewright.trading.groups import AccountGroup, PositionMode, set_group
from tradewright.trading.model import CheckMargin, ClosePosition, MarginReport
from tradewright.trading.registry import open_sessions


def hedged(floor: Floor, deposit: str) -> str:
    """Open an account whose longs and shorts in a symbol bind only what is left of them."""
    mode = PositionMode.HEDGING
    net = AccountGroup(code="net", position_mode=mode, hedged_margin=HedgedMargin.NET)
    set_group(floor.session, net)
    return floor.account(deposit, group="net")


def test_nothing_is_forgiven_while_positions_are_open(floor: Floor) -> None:
    """The balance is -1,002 after the short is closed; equity is 2,990, and no margin is used."""
    account = hedged(floor, "1000")
    with floor.engine() as engine:
        deal(engine, buy(account, 20_000))
        deal(engine, sell(account, 20_000))
        deal(engine, buy(account, 20_000))
        floor.quote(engine, "EURUSD", "1.20000", "1.20010")
        short = floor.one("SELECT id::text FROM positions WHERE quantity < 0 AND is_open")
        ask(engine, ClosePosition(account_id=account, position_id=short, symbol="EURUSD"))
        deal(engine, sell(account, 40_000))
        assert floor.balance(account) == Decimal(-1002)
        report = ask(engine, CheckMargin(account_id=account))
    assert isinstance(report, MarginReport)
    assert report.margin_level is None
    assert report.forgiven == 0
    assert floor.balance(account) == Decimal(-1002)
    assert floor.broken_laws() == {}


def test_a_call_is_over_when_no_margin_is_used_any_more(floor: Floor) -> None:
    account = hedged(floor, "4000")
    with floor.engine() as engine:
        deal(engine, buy(account, 100_000))
        floor.quote(engine, "EURUSD", "1.09500", "1.09510")
        assert floor.one("SELECT count(*) FROM margin_calls WHERE resolved_at IS NULL") == 1
        deal(engine, sell(account, 100_000))
        floor.quote(engine, "EURUSD", "1.09500", "1.09510")
    assert floor.one("SELECT count(*) FROM margin_calls WHERE resolved_at IS NULL") == 0


def test_what_is_hedged_is_closed_when_equity_is_below_zero(floor: Floor) -> None:
    """A spread of 10 cents leaves an equity of -6,020, and no margin is used."""
    account = hedged(floor, "4000")
    with floor.engine() as engine:
        deal(engine, buy(account, 100_000))
        deal(engine, sell(account, 100_000))
        floor.quote(engine, "EURUSD", "1.05000", "1.15010")
    assert floor.rows("SELECT count(*) FROM positions WHERE is_open") == [(0,)]
    outs = floor.rows("SELECT margin_level, equity, positions_closed, forgiven FROM stop_outs")
    assert outs == [(None, Decimal(-6020), 2, Decimal(6020))]
    assert floor.balance(account) == 0
    told = floor.one("SELECT what FROM alerts WHERE kind = 'account_stopped_out'")
    assert told.endswith(" an equity of -6020.00 USD without used margin, 6020 USD forgiven")
    assert floor.broken_laws() == {}


def test_what_is_hedged_and_cannot_be_closed_is_told_and_waits_a_second(floor: Floor) -> None:
    account = hedged(floor, "4000")
    floor.now = floor.now.replace(day=16, hour=21)
    with floor.engine() as engine:
        open_sessions(floor.session, "EURUSD", [FOREX_WEEK])
        deal(engine, buy(account, 100_000))
        deal(engine, sell(account, 100_000))
        floor.now = floor.now.replace(hour=22, minute=1)
        floor.quote(engine, "EURUSD", "1.05000", "1.15010")
        answered = engine.counts.commands
        for tick in range(3):
            at = floor.now + timedelta(milliseconds=tick)
            engine.on_quote(Quote("EURUSD", Decimal("1.05"), Decimal("1.1501"), at))
        engine.wait_until_idle()
        assert engine.counts.commands == answered
    told = floor.rows("SELECT about, what FROM alerts WHERE kind = 'account_stuck'")
    assert [one[0] for one in told] == [account]
    assert "an equity of -6020.00 without used margin" in told[0][1]
