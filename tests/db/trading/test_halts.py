"""Halts and the kill switch: nothing is opened, what rests is canceled, reducing passes."""

import threading
from datetime import UTC, datetime

import pytest

from tests.conftest import OpenSession
from tests.floor import Floor, buy, deal, refusal, sell
from tradewright.core.errors import ErrorCode
from tradewright.risk.halts import HaltMode
from tradewright.risk.limits import Scope, Target
from tradewright.risk.store import lift_halt, read_halts, set_halt
from tradewright.trading.engine import Engine
from tradewright.trading.groups import AccountGroup, set_group
from tradewright.trading.kill_switch import Killed, cancel_halted, halt, pull_kill_switch
from tradewright.trading.model import OrderReport, OrderStatus, SubmitOrder

ALL = Target()


def denied(engine: Engine, order: SubmitOrder) -> bool:
    report = deal(engine, order)
    is_halted = report.refusal_code is ErrorCode.TRADING_HALTED
    assert is_halted == (report.status is OrderStatus.REJECTED), report
    return is_halted


@pytest.mark.parametrize("scope", list(Scope))
def test_a_halt_holds_for_its_target_only_and_lets_reducing_through(
    floor: Floor, scope: Scope
) -> None:
    set_group(floor.session, AccountGroup(code="pro"))
    mine, other = floor.account(group="pro"), floor.account()
    names = {Scope.GROUP: "pro", Scope.ACCOUNT: mine, Scope.INSTRUMENT: "EURUSD"}
    target = Target(scope, names.get(scope))
    with floor.engine() as engine:
        floor.quote(engine, "GBPUSD", "1.25000", "1.25010")
        deal(engine, buy(mine, 10_000))
        set_halt(floor.session, HaltMode.REDUCE_ONLY, target, actor="anna", reason="drill")
        assert denied(engine, buy(mine, 1000))
        assert not denied(engine, sell(mine, 5000))
        assert denied(engine, buy(other, 1000)) == (scope in {Scope.ALL, Scope.INSTRUMENT})
        assert denied(engine, buy(other, 1000, symbol="GBPUSD")) == (scope is Scope.ALL)
        lift_halt(floor.session, target, actor="bert", reason="over")
        assert not denied(engine, buy(mine, 1000))
    assert read_halts(floor.session) == ()
    row = floor.rows("SELECT set_by, reason, lifted_by, lifted_reason FROM trading_halts")
    assert row == [("anna", "drill", "bert", "over")]
    assert floor.broken_laws() == {}


def test_the_kill_switch_cancels_what_rests_and_the_engine_goes_on(
    floor: Floor, open_session: OpenSession
) -> None:
    mine, other = floor.account(), floor.account()
    with floor.engine() as engine:
        floor.quote(engine, "GBPUSD", "1.25000", "1.25010")
        resting = [deal(engine, buy(one, 1000, limit_price="1.05000")) for one in (mine, other)]
        sterling = deal(engine, buy(mine, 1000, symbol="GBPUSD", limit_price="1.20000"))
        target = Target(Scope.INSTRUMENT, "EURUSD")
        killed = pull_kill_switch(open_session(), target, actor="anna", reason="drill")
        assert killed == Killed(accounts=2, orders=2)
        assert cancel_halted(open_session()) == Killed(accounts=0, orders=0)
        floor.quote(engine, "EURUSD", "1.04000", "1.04010")
    ids = [one.order_id for one in (*resting, sterling)]
    rows = floor.rows("SELECT status, refusal_code FROM orders WHERE id = ANY(%s) ORDER BY id", ids)
    assert rows == [("canceled", "TRADING_HALTED")] * 2 + [("new", None)]
    assert floor.position(mine) == 0
    assert floor.broken_laws() == {}


def test_a_kill_takes_the_place_of_a_reduce_only(floor: Floor, open_session: OpenSession) -> None:
    account = floor.account()
    target = Target(Scope.ACCOUNT, account)
    with floor.engine() as engine:
        resting = deal(engine, buy(account, 1000, limit_price="1.05000"))
        set_halt(floor.session, HaltMode.REDUCE_ONLY, target, actor="anna", reason="odd")
        killed = halt(open_session(), target, actor="bert", reason="worse")
        assert killed == Killed(accounts=1, orders=1)
    (in_force,) = read_halts(floor.session)
    assert (in_force.mode, in_force.set_by) == (HaltMode.HALTED, "bert")
    assert floor.rows("SELECT status FROM orders WHERE id = %s", resting.order_id) == [
        ("canceled",)
    ]
    lifted = floor.rows("SELECT mode, lifted_by FROM trading_halts WHERE lifted_at IS NOT NULL")
    assert lifted == [("reduce_only", "bert")]
    assert halt(open_session(), target, actor="bert", reason="again") == Killed(0, 0)
    assert floor.broken_laws() == {}


def test_an_order_that_rests_under_reduce_only_is_denied_when_its_price_comes(
    floor: Floor,
) -> None:
    account = floor.account()
    with floor.engine() as engine:
        resting = deal(engine, buy(account, 1000, limit_price="1.05000"))
        set_halt(floor.session, HaltMode.REDUCE_ONLY, ALL, actor="anna", reason="drill")
        floor.quote(engine, "EURUSD", "1.04000", "1.04010")
    row = floor.rows("SELECT status, refusal_code FROM orders WHERE id = %s", resting.order_id)
    assert row == [("rejected", "TRADING_HALTED")]


def test_after_a_kill_has_returned_nothing_is_opened_in_any_engine(
    floor: Floor, open_session: OpenSession
) -> None:
    """Two engines send orders as fast as they can while a third session pulls the switch."""
    accounts = [floor.account() for _ in range(6)]
    stop = threading.Event()

    def trade(engine: Engine, own: list[str]) -> None:
        while not stop.is_set():
            for future in [engine.submit(buy(account, 1000)) for account in own]:
                assert isinstance(future.result(timeout=60), OrderReport)

    with floor.engine(writers=2) as first, floor.engine(writers=2) as second:
        threads = [
            threading.Thread(target=trade, args=[first, accounts[:3]]),
            threading.Thread(target=trade, args=[second, accounts[3:]]),
        ]
        for thread in threads:
            thread.start()
        while floor.one("SELECT count(*) FROM trades") < 20:
            stop.wait(0.01)
        pull_kill_switch(open_session(), ALL, actor="anna", reason="drill")
        killed_at = datetime.now(UTC)
        before = floor.one("SELECT count(*) FROM trades")
        stop.wait(0.5)
        stop.set()
        for thread in threads:
            thread.join()
    assert floor.one("SELECT count(*) FROM trades") == before
    late = "SELECT count(*) FROM orders WHERE created_at > %s AND status <> 'rejected'"
    assert floor.one(late, killed_at) == 0
    assert floor.one("SELECT count(*) FROM orders WHERE refusal_code = 'TRADING_HALTED'") > 0


def test_a_halt_says_who_and_why_and_is_set_once_and_lifted_once(floor: Floor) -> None:
    session = floor.session
    for actor, reason in (("", "drill"), ("anna", " ")):
        error = refusal(
            lambda a=actor, r=reason: set_halt(session, HaltMode.HALTED, ALL, actor=a, reason=r)  # type: ignore[misc]
        )
        assert error.code is ErrorCode.TRADING_HALT_MALFORMED
    set_halt(session, HaltMode.HALTED, ALL, actor="anna", reason="drill")
    again = refusal(lambda: set_halt(session, HaltMode.HALTED, ALL, actor="b", reason="c"))
    assert again.code is ErrorCode.TRADING_HALT_EXISTS
    lift_halt(session, ALL, actor="anna", reason="over")
    twice = refusal(lambda: lift_halt(session, ALL, actor="anna", reason="over"))
    assert twice.code is ErrorCode.TRADING_HALT_UNKNOWN
    nobody = Target(Scope.INSTRUMENT, "NOPE")
    unknown = refusal(lambda: set_halt(session, HaltMode.HALTED, nobody, actor="a", reason="b"))
    assert unknown.code is ErrorCode.INSTRUMENT_UNKNOWN
