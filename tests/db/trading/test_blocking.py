"""Accounts that run into their limits again and again are blocked once, until a person says so."""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.conftest import OpenSession
from tests.db.trading.test_limits import code, limit
from tests.floor import ONE, Floor, buy, deal, refusal, sell
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.liquidity.model import Quote
from tradewright.liquidity.simulator import SimulatedProvider
from tradewright.postgres.connect import Session, connect
from tradewright.risk import alerts
from tradewright.risk.limits import LimitKind, Scope, Target
from tradewright.risk.store import block_denied, lift_halt, read_halts
from tradewright.trading.engine import Engine
from tradewright.trading.groups import AccountGroup, set_group
from tradewright.trading.model import CancelOrder

TOO_LARGE = ErrorCode.ORDER_QUANTITY_OUT_OF_RANGE

KILLING = """
CREATE FUNCTION killing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_terminate_backend(pg_backend_pid());
    RETURN NEW;
END;
$$;
CREATE TRIGGER killing BEFORE INSERT ON trading_halts FOR EACH ROW EXECUTE FUNCTION killing();
"""


def strict(floor: Floor, denials: str = "2", **target: str) -> None:
    """Let orders be of 10,000 at the most, and so many be denied in a minute."""
    limit(floor, LimitKind.ORDER_QUANTITY, "10000")
    limit(floor, LimitKind.DENIAL_RATE, denials, **target)


def deny(engine: Engine, account: str, count: int) -> list[ErrorCode | None]:
    return [code(engine, buy(account, 11_000)) for _ in range(count)]


def blocks(floor: Floor) -> list[tuple[str, ...]]:
    return floor.rows("SELECT account_id::text, mode, set_by FROM trading_halts ORDER BY set_at")


def test_one_denial_more_than_a_minute_allows_blocks_what_opens_and_nothing_else(
    floor: Floor, open_session: OpenSession
) -> None:
    strict(floor)
    account, other, listener = floor.account("100000"), floor.account("100000"), open_session()
    alerts.listen(listener)
    with floor.engine() as engine:
        assert code(engine, buy(account, 10_000)) is None
        resting = deal(engine, buy(account, 1000, limit_price="1.05000"))
        assert deny(engine, account, 2) == [TOO_LARGE] * 2
        assert code(engine, buy(account, 1000)) is None, "two are the most"
        sent_at = datetime.now(UTC)
        assert deny(engine, account, 1) == [TOO_LARGE]
        assert code(engine, buy(account, 1000)) is ErrorCode.TRADING_HALTED
        assert code(engine, sell(account, 1000)) is None, "reducing passes"
        cancel = CancelOrder(account_id=account, client_order_id=resting.client_order_id)
        assert deal(engine, cancel).refusal_code is None
        assert code(engine, buy(other, 1000)) is None
        told = [one for one in alerts.follow(listener, seconds=1) if one.kind == "trading_halted"]
        assert told[0].raised_at - sent_at < timedelta(seconds=5)
    assert account in told[0].what
    assert "limits have denied 3 orders within a minute, and 2 is the most" in told[0].what
    assert blocks(floor) == [(account, "reduce_only", "auto-block")]
    actor = floor.one("SELECT actor FROM audit_log WHERE table_name = 'trading_halts'")
    assert actor == "auto-block"
    assert floor.broken_laws() == {}


def test_too_many_messages_in_a_second_block_too(floor: Floor) -> None:
    limit(floor, LimitKind.MESSAGE_RATE, "1")
    limit(floor, LimitKind.DENIAL_RATE, "0")
    account = floor.account("100000")
    with floor.engine() as engine:
        for future in engine.submit_together([buy(account, 1000) for _ in range(9)]):
            future.result(timeout=30)
        engine.wait_until_idle()
        assert code(engine, buy(account, 1000)) is ErrorCode.TRADING_HALTED
    assert len(blocks(floor)) == 1


def test_only_a_person_unblocks_and_what_was_denied_before_counts_no_more(floor: Floor) -> None:
    strict(floor)
    account = floor.account("100000")
    target = Target(Scope.ACCOUNT, account)
    with floor.engine() as engine:
        deny(engine, account, 3)
        nobody = refusal(lambda: lift_halt(floor.session, target, actor=" ", reason="calm"))
        assert nobody.code is ErrorCode.TRADING_HALT_MALFORMED
        lift_halt(floor.session, target, actor="anna", reason="the client was called")
        assert deny(engine, account, 2) == [TOO_LARGE] * 2
        assert code(engine, buy(account, 1000)) is None
        deny(engine, account, 1)
        assert code(engine, buy(account, 1000)) is ErrorCode.TRADING_HALTED
    assert len(blocks(floor)) == 2


def test_denials_of_more_than_a_minute_ago_block_nobody(floor: Floor) -> None:
    strict(floor, "0")
    account, default = floor.account("100000"), "ALTER TABLE risk_breaches ALTER COLUMN id"
    with floor.engine() as engine:
        floor.session.execute(f"{default} SET DEFAULT uuidv7(interval '-61 s')".encode())
        deny(engine, account, 3)
        assert code(engine, buy(account, 1000)) is None
        floor.session.execute(f"{default} SET DEFAULT uuidv7(interval '-30 s')".encode())
        deny(engine, account, 1)
        assert code(engine, buy(account, 1000)) is ErrorCode.TRADING_HALTED


@pytest.mark.parametrize(("scope", "is_blocked"), [("group", True), ("account", False)])
def test_the_limit_holds_for_its_group_or_account(
    floor: Floor, scope: str, *, is_blocked: bool
) -> None:
    set_group(floor.session, AccountGroup(code="pro"))
    account, other = floor.account("100000", group="pro"), floor.account("100000")
    strict(floor, "0", **{scope: "pro" if scope == "group" else other})
    with floor.engine() as engine:
        deny(engine, account, 1)
    assert bool(blocks(floor)) is is_blocked


def test_a_number_of_denials_cannot_be_set_for_an_instrument(floor: Floor) -> None:
    error = refusal(lambda: limit(floor, LimitKind.DENIAL_RATE, "5", instrument="EURUSD"))
    assert error.code is ErrorCode.RISK_LIMIT_MALFORMED


def test_what_other_checks_deny_is_not_counted(floor: Floor) -> None:
    strict(floor, "0")
    account = floor.account("10")
    with floor.engine() as engine:
        for _ in range(3):
            assert code(engine, buy(account, 10_000)) is ErrorCode.ORDER_MARGIN_INSUFFICIENT
    assert blocks(floor) == []


def test_many_denials_over_four_engines_at_once_make_one_block(floor: Floor) -> None:
    strict(floor, "5")
    account = floor.account("100000")
    engines = [floor.build(writers=2) for _ in range(4)]
    floor.now = datetime.now(UTC)
    for engine in engines:
        engine.start()
        engine.on_quote(Quote("EURUSD", Decimal("1.10000"), Decimal("1.10010"), floor.now))
    start = threading.Barrier(len(engines))

    def trade(engine: Engine) -> None:
        start.wait(timeout=30)
        for future in [engine.submit(buy(account, 11_000)) for _ in range(15)]:
            future.result(timeout=60)
        engine.wait_until_idle()

    threads = [threading.Thread(target=trade, args=[engine]) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for engine in engines:
        engine.stop()
    assert len(blocks(floor)) == 1
    kinds = [one.kind for one in alerts.read_alerts(floor.session, count_max=99)]
    assert sorted(kinds) == ["limit_breached", "trading_halted"]
    assert floor.broken_laws() == {}


def test_a_flood_of_denied_orders_opens_no_session(floor: Floor) -> None:
    """Those of the writer's thread are counted; others look at what has changed meanwhile."""
    strict(floor, "1000")
    account, opened = floor.account("100000"), []

    def open_session() -> Session:
        opened.extend([1] if threading.current_thread().name == "writer" else [])
        return connect(floor.conninfo, writer=True, autocommit=True)

    with Engine(open_session, {"LP-ONE": SimulatedProvider(ONE, seed=1)}) as engine:
        floor.quote(engine, "EURUSD", "1.10000", "1.10010")
        deny(engine, account, 1)
        before, batches = len(opened), engine.counts.batches
        deny(engine, account, 50)
        assert engine.counts.batches >= batches + 50
        assert len(opened) == before == 1
        limit(floor, LimitKind.DENIAL_RATE, "2")
        deny(engine, account, 1)
        assert len(opened) == before
        assert code(engine, buy(account, 1000)) is ErrorCode.TRADING_HALTED


def test_a_block_that_fails_with_its_session_ends_no_writer(
    floor: Floor, open_session: OpenSession
) -> None:
    """The server ends the session that is to block, as if it had died; the next denial blocks."""
    strict(floor, "0")
    account, killer = floor.account("100000"), open_session()
    with floor.engine() as engine:
        killer.execute(KILLING)
        with suppress(TradewrightError):
            deny(engine, account, 1)
        killer.execute("DROP TRIGGER killing ON trading_halts")
        with suppress(TradewrightError):
            engine.wait_until_idle()
        assert blocks(floor) == []
        assert deny(engine, account, 1) == [TOO_LARGE]
        assert code(engine, buy(account, 1000)) is ErrorCode.TRADING_HALTED
    assert len(blocks(floor)) == 1
    assert floor.broken_laws() == {}


def test_the_application_blocks_by_the_record_and_cannot_say_whom(
    floor: Floor, session_as: Callable[[str], Session]
) -> None:
    account, app = floor.account("100000"), session_as("app")
    limit(floor, LimitKind.ORDER_QUANTITY, "10000")
    with floor.engine() as engine:
        deny(engine, account, 3)
    assert block_denied(app, [account]) == [], "no such limit holds"
    limit(floor, LimitKind.DENIAL_RATE, "2")
    assert block_denied(app, [account]) == [account]
    assert block_denied(app, [account]) == [], "once"
    assert len(read_halts(floor.session)) == 1
