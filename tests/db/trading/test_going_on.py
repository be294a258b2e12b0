"""From one provider to the next: only while the order may go on, whoever has stopped it."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.db.trading.test_answers import Later, run, stage, state
from tests.db.trading.test_breakers import BY_HAND
from tests.db.trading.test_scoring import routed
from tests.floor import TWO, Floor, ask, buy, deal, market_of, sell, set_price
from tradewright.liquidity.model import Side
from tradewright.liquidity.sessions import FOREX_WEEK
from tradewright.postgres.connect import Session
from tradewright.risk.breaker_store import add_breaker, move_by_hand
from tradewright.risk.breakers import BreakerState
from tradewright.risk.halts import HaltMode
from tradewright.risk.limits import Target
from tradewright.risk.store import set_halt
from tradewright.trading.dispatch import ask_in_turn
from tradewright.trading.engine import Engine
from tradewright.trading.kill_switch import pull_kill_switch
from tradewright.trading.model import CancelOrder, TimeInForce
from tradewright.trading.registry import open_sessions


@pytest.mark.parametrize("how", ["canceled", "killed", "halted"])
def test_no_other_provider_is_asked_for_what_another_process_has_stopped(
    engine_database: str, engine: Session, how: str
) -> None:
    floor, account, late = stage(engine_database, engine)
    second = Later(TWO)
    with run(floor, {"LP-ONE": late, "LP-TWO": second}) as running, run(floor, {}) as other:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, client_order_id="mine"))
        if how == "canceled":
            ask(other, CancelOrder(account_id=account, client_order_id="mine"))
        elif how == "killed":
            pull_kill_switch(engine, Target(), actor="anna", reason="drill")
        else:
            set_halt(engine, HaltMode.REDUCE_ONLY, Target(), actor="anna", reason="drill")
        late.tell(late.asked[0], 30_000, is_final=True)
        running.wait_until_idle()
        assert (second.asked, running.pending_count) == ([], 0)
    assert state(floor) == ("canceled", 30_000, False)
    assert floor.broken_laws() == {}


def test_a_halt_lets_a_closing_order_go_on_to_the_next_provider(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    second = Later(TWO)
    with run(floor, {"LP-ONE": late, "LP-TWO": second}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        late.tell(late.asked[0], 100_000)
        running.wait_until_idle()
        deal(running, sell(account))
        set_halt(engine, HaltMode.REDUCE_ONLY, Target(), actor="anna", reason="drill")
        late.tell(late.asked[1], 30_000, is_final=True)
        running.wait_until_idle()
        second.tell(second.asked[0], 70_000)
        running.wait_until_idle()
    assert floor.position(account) == 0
    assert floor.broken_laws() == {}


def stop(session: Session, how: str) -> None:
    """Let nothing be opened any more."""
    if how == "breaker":
        move_by_hand(session, "all", BreakerState.TRIGGERED, actor="anna", reason="drill")
    elif how == "suspended":
        session.execute("UPDATE accounts SET status = 'suspended'")
    elif how == "not tradable":
        session.execute("UPDATE instruments SET is_tradable = false WHERE symbol = 'EURUSD'")
    else:
        set_halt(session, HaltMode.REDUCE_ONLY, Target(), actor="anna", reason="drill")


def second_passes(floor: Floor, engine: Engine) -> None:
    """Let the market's time go on by a quote of another symbol."""
    floor.quote(engine, "USDJPY", "150.000", "150.010")


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("expired", "expired", None),
        ("closed", "new", None),
        ("stale", "new", None),
        ("breaker", "canceled", "BREAKER_TRIGGERED"),
        ("suspended", "canceled", "ACCOUNT_NOT_ACTIVE"),
        ("not tradable", "canceled", "INSTRUMENT_NOT_TRADABLE"),
    ],
)
def test_nobody_else_is_asked_for_what_may_not_deal_any_more(
    engine_database: str, engine: Session, how: str, status: str, code: str | None
) -> None:
    floor, account, late = stage(engine_database, engine)
    second, expires = Later(TWO), timedelta(hours=1)
    add_breaker(engine, BY_HAND, actor="anna", reason="drill")
    if how == "expired":
        expires = timedelta(seconds=2)
    if how == "closed":
        floor.now = floor.now.replace(day=16, hour=21, minute=59, second=57)
        open_sessions(engine, "EURUSD", [FOREX_WEEK])
    with run(floor, {"LP-ONE": late, "LP-TWO": second}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        floor.now += timedelta(seconds=58 if how == "stale" else 0)
        second_passes(floor, running)
        expires_at, dated = floor.now + expires, TimeInForce.GTD
        limited = buy(account, limit_price="1.20000", time_in_force=dated, expires_at=expires_at)
        deal(running, limited)
        if how in {"expired", "closed", "stale"}:
            second_passes(floor, running)
            second_passes(floor, running)
        else:
            stop(engine, how)
        late.tell(late.asked[0], 0, is_final=True)
        running.wait_until_idle()
        assert (second.asked, running.pending_count) == ([], 0)
    assert state(floor) == (status, 0, False)
    assert floor.one("SELECT refusal_code FROM orders") == code
    assert floor.broken_laws() == {}


def test_what_cannot_rest_ends_in_a_session_that_has_closed(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    second = Later(TWO)
    floor.now = floor.now.replace(day=16, hour=21, minute=59, second=58)
    open_sessions(engine, "EURUSD", [FOREX_WEEK])
    with run(floor, {"LP-ONE": late, "LP-TWO": second}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        second_passes(floor, running)
        late.tell(late.asked[0], 30_000, is_final=True)
        running.wait_until_idle()
    assert (second.asked, state(floor)) == ([], ("canceled", 30_000, False))
    assert floor.one("SELECT refusal_code FROM orders") == "INSTRUMENT_SESSION_CLOSED"
    assert floor.broken_laws() == {}


@pytest.mark.parametrize("how", ["breaker", "suspended", "not tradable", "halted"])
def test_what_only_reduces_goes_on_to_the_next_provider(
    engine_database: str, engine: Session, how: str
) -> None:
    floor, account, late = stage(engine_database, engine)
    second = Later(TWO)
    add_breaker(engine, BY_HAND, actor="anna", reason="drill")
    with run(floor, {"LP-ONE": late, "LP-TWO": second}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        late.tell(late.asked[0], 100_000)
        running.wait_until_idle()
        deal(running, sell(account, 150_000, is_reduce_only=True))
        stop(engine, how)
        late.tell(late.asked[1], 30_000, is_final=True)
        running.wait_until_idle()
        second.tell(second.asked[0], 70_000)
        running.wait_until_idle()
    assert floor.position(account) == 0
    assert floor.broken_laws() == {}


def test_of_two_orders_in_flight_the_first_only_reduces_and_the_other_opens(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    second = Later(TWO)
    with run(floor, {"LP-ONE": late, "LP-TWO": second}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        late.tell(late.asked[0], 100_000)
        running.wait_until_idle()
        deal(running, sell(account, 100_000))
        deal(running, sell(account, 90_000))
        stop(engine, "suspended")
        for asked in late.asked[:0:-1]:
            late.tell(asked, 0, is_final=True)
            running.wait_until_idle()
        assert [one.quantity for one in second.asked] == [100_000]


def test_the_next_provider_is_asked_at_the_price_that_it_quotes_then(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    second = Later(TWO)
    with run(floor, {"LP-ONE": late, "LP-TWO": second}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        floor.quote(running, "EURUSD", "1.10020", "1.10030")
        late.tell(late.asked[0], 30_000, is_final=True)
        running.wait_until_idle()
        assert [one.limit_price for one in second.asked] == [Decimal("1.10042")]
        assert len(late.asked) == 1, "the best price again, of one that was asked"


def test_a_price_that_changes_before_anybody_is_asked_is_looked_at_again() -> None:
    market = market_of({"EURUSD": ("1.10000", "1.10001")})
    asking = ask_in_turn(routed(Side.BUY, "1.10001"), market)
    assert next(asking)[1].limit_price == Decimal("1.10001")
    set_price(market, "EURUSD", "1.10002", "1.10003")
    assert asking.send(None)[1].limit_price == Decimal("1.10003")


@pytest.mark.parametrize(("seconds", "is_asked"), [(2, True), (3, False)])
def test_the_time_for_answers_is_the_markets_whatever_a_provider_says(
    engine_database: str, engine: Session, seconds: int, *, is_asked: bool
) -> None:
    floor, account, late = stage(engine_database, engine)
    second = Later(TWO)
    with run(floor, {"LP-ONE": late, "LP-TWO": second}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        for _ in range(seconds):
            second_passes(floor, running)
        late.tell(late.asked[0], 30_000, is_final=True)
        running.wait_until_idle()
    assert bool(second.asked) is is_asked
