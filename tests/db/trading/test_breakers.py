"""Circuit breakers and alerts through real engines: stopped at the quote, told at the commit."""

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from tests.conftest import OpenSession
from tests.floor import Floor, buy, deal, refusal, sell
from tradewright.core.errors import ErrorCode
from tradewright.liquidity.model import Quote
from tradewright.postgres.connect import Session
from tradewright.risk import alerts
from tradewright.risk.breaker_store import (
    BreakerSettings,
    add_breaker,
    move_by_hand,
    move_by_market,
    read_breakers,
)
from tradewright.risk.breakers import BreakerKind, BreakerState, Move
from tradewright.risk.limits import Limit, LimitKind, Target
from tradewright.risk.store import set_limit
from tradewright.trading.engine import Engine
from tradewright.trading.model import SubmitOrder

MOVEMENT = BreakerSettings(
    code="eur",
    kind=BreakerKind.PRICE_MOVEMENT,
    symbol="EURUSD",
    threshold=Decimal(1),
    window_seconds=30,
    reset_seconds=10,
    cooldown_seconds=5,
)
BY_HAND = BreakerSettings(code="all", kind=BreakerKind.MANUAL)


def code(engine: Engine, order: SubmitOrder) -> ErrorCode | None:
    return deal(engine, order).refusal_code


def events(floor: Floor) -> list[tuple[Any, ...]]:
    return floor.rows("SELECT to_state, actor FROM circuit_breaker_events ORDER BY occurred_at, id")


def test_a_breaker_goes_round_its_circle_by_the_markets_time(floor: Floor) -> None:
    add_breaker(floor.session, MOVEMENT, actor="anna", reason="peg")
    account = floor.account("100000")
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        assert code(engine, buy(account, 2000)) is None
        floor.quote(engine, "EURUSD", "1.08000", "1.08010")
        assert code(engine, buy(account, 1000)) is ErrorCode.BREAKER_TRIGGERED
        assert code(engine, sell(account, 1000)) is None
        for _ in range(30):  # a second each; the fall leaves the window after 30
            floor.quote(engine, "EURUSD", "1.08000", "1.08010")
        assert code(engine, buy(account, 1000)) is ErrorCode.BREAKER_TRIGGERED
        for _ in range(6):
            floor.quote(engine, "EURUSD", "1.08000", "1.08010")
        assert code(engine, buy(account, 1000)) is None
    market = ("triggered", "cooling_down", "armed")
    assert events(floor) == [("armed", "anna"), *((state, "market") for state in market)]
    assert floor.broken_laws() == {}


def test_what_the_quote_sets_off_meets_the_breaker_that_it_triggers(floor: Floor) -> None:
    add_breaker(floor.session, MOVEMENT, actor="anna", reason="peg")
    account = floor.account("100000")
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        resting = deal(engine, buy(account, 1000, limit_price="1.08500"))
        floor.quote(engine, "EURUSD", "1.08000", "1.08010")
    row = floor.rows("SELECT status, refusal_code FROM orders WHERE id = %s", resting.order_id)
    assert row == [("rejected", "BREAKER_TRIGGERED")]


def test_engines_that_see_the_same_fall_at_once_write_one_event(floor: Floor) -> None:
    add_breaker(floor.session, MOVEMENT, actor="anna", reason="peg")
    engines = [floor.build() for _ in range(4)]
    for engine in engines:
        engine.start()
        engine.on_quote(Quote("EURUSD", Decimal("1.10000"), Decimal("1.10010"), floor.now))
    start = threading.Barrier(len(engines))
    later = floor.now + timedelta(seconds=1)

    def fall(engine: Engine) -> None:
        start.wait(timeout=30)
        engine.on_quote(Quote("EURUSD", Decimal("1.05000"), Decimal("1.05010"), later))

    threads = [threading.Thread(target=fall, args=[engine]) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for engine in engines:
        assert engine.reference.breakers.of("EURUSD") is not None
        engine.stop()
    assert events(floor) == [("armed", "anna"), ("triggered", "market")]


def test_those_who_move_a_breaker_at_the_same_moment_are_all_answered(
    floor: Floor, open_session: OpenSession
) -> None:
    add_breaker(floor.session, MOVEMENT, actor="anna", reason="peg")
    start = threading.Barrier(4, timeout=60)
    won: list[int] = []
    errors: list[Exception] = []

    def move(session: Session) -> None:
        (breaker,) = read_breakers(session)
        circle = (BreakerState.TRIGGERED, BreakerState.COOLING_DOWN, BreakerState.ARMED)
        for step in range(240):
            to_state = circle[step % 3]
            seen = Move(breaker, to_state, "race", Decimal(2), floor.now)
            start.wait()
            try:
                if move_by_market(session, seen):
                    won.append(breaker.seq)
            except psycopg.Error as error:
                errors.append(error)
            breaker = replace(breaker, seq=breaker.seq + 1, state=to_state)

    threads = [threading.Thread(target=move, args=[open_session()]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert won == list(range(1, 241))


def test_a_person_triggers_resets_and_disables_with_a_reason(floor: Floor) -> None:
    add_breaker(floor.session, BY_HAND, actor="anna", reason="drill")
    account = floor.account("100000")
    with floor.engine() as engine:
        for state, expected in (
            (BreakerState.TRIGGERED, ErrorCode.BREAKER_TRIGGERED),
            (BreakerState.ARMED, None),
            (BreakerState.DISABLED, None),
        ):
            move_by_hand(floor.session, "all", state, actor="bert", reason="drill")
            assert code(engine, buy(account, 1000)) is expected
    again = refusal(
        lambda: move_by_hand(
            floor.session, "all", BreakerState.DISABLED, actor="bert", reason="drill"
        )
    )
    assert again.code is ErrorCode.BREAKER_MOVED
    nobody = refusal(
        lambda: move_by_hand(floor.session, "all", BreakerState.ARMED, actor="bert", reason=" ")
    )
    assert nobody.code is ErrorCode.BREAKER_MALFORMED
    unknown = refusal(
        lambda: move_by_hand(floor.session, "no", BreakerState.ARMED, actor="b", reason="c")
    )
    assert unknown.code is ErrorCode.BREAKER_UNKNOWN


@pytest.mark.parametrize(
    ("seq", "from_state", "to_state", "actor"),
    [
        (2, "triggered", "armed", "anna"),
        (2, "armed", "cooling_down", "market"),
        (2, "armed", "armed", "anna"),
        (3, "armed", "triggered", "market"),
        (1, None, "triggered", "anna"),
    ],
)
def test_the_database_refuses_an_event_that_does_not_follow(
    floor: Floor, seq: int, from_state: str | None, to_state: str, actor: str
) -> None:
    add_breaker(floor.session, BY_HAND, actor="anna", reason="drill")
    with pytest.raises(psycopg.errors.IntegrityError):
        floor.session.execute(
            "INSERT INTO circuit_breaker_events (breaker_id, seq, previous_seq, from_state,"
            " to_state, actor, reason) SELECT id, %s, %s, %s, %s, %s, 'x' FROM circuit_breakers",
            (seq, seq - 1 or None, from_state, to_state, actor),
        )


@pytest.mark.parametrize(
    "settings",
    [
        BreakerSettings(code="x1", kind=BreakerKind.PRICE_MOVEMENT, symbol="EURUSD"),
        BreakerSettings(code="x1", kind=BreakerKind.MANUAL, threshold=Decimal(1)),
        BreakerSettings(code="X", kind=BreakerKind.MANUAL),
    ],
)
def test_a_breaker_that_measures_nothing_or_too_much_is_refused(
    floor: Floor, settings: BreakerSettings
) -> None:
    error = refusal(lambda: add_breaker(floor.session, settings, actor="anna", reason="drill"))
    assert error.code is ErrorCode.BREAKER_MALFORMED
    assert read_breakers(floor.session) == ()


def test_an_alert_is_told_within_five_seconds_of_the_order_that_breaks_a_limit(
    floor: Floor, open_session: OpenSession
) -> None:
    limit = Limit(
        id="",
        kind=LimitKind.ORDER_QUANTITY,
        target=Target(),
        value=Decimal(1000),
        currency=None,
    )
    set_limit(floor.session, limit, actor="anna")
    account, listener = floor.account(), open_session()
    alerts.listen(listener)
    with floor.engine() as engine:
        sent_at = datetime.now(UTC)
        for _ in range(2):
            deal(engine, buy(account, 2000))
        told = next(alerts.follow(listener, seconds=5))
        assert datetime.now(UTC) - sent_at < timedelta(seconds=5)
    assert (told.severity, told.kind) == ("warning", "limit_breached")
    assert account in told.what
    assert len(alerts.read_alerts(floor.session, count_max=9)) == 1  # one for both orders
    assert alerts.acknowledge(floor.session, [told.id], actor="anna") == 1
    assert alerts.read_alerts(floor.session, count_max=9) == []
    with floor.engine() as engine:
        deal(engine, buy(account, 2000))
    kept = alerts.read_alerts(floor.session, count_max=9, with_acknowledged=True)
    assert [one.acknowledged_by for one in kept] == [None, "anna"]


def test_halts_breakers_and_stop_outs_raise_alerts(floor: Floor) -> None:
    add_breaker(floor.session, BY_HAND, actor="anna", reason="drill")
    account = floor.account("4000")
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account))
        move_by_hand(floor.session, "all", BreakerState.TRIGGERED, actor="bert", reason="a rumour")
        floor.quote(engine, "EURUSD", "1.07800", "1.07810")
    found = alerts.read_alerts(floor.session, count_max=9)
    assert [(one.severity, one.kind) for one in found] == [
        ("warning", "account_stopped_out"),
        ("critical", "breaker_moved"),
    ]
    assert "a rumour" in found[1].what
