"""Answers of providers that cannot be booked: people are told once, and when it is over."""

import pytest

from tests.db.trading.test_answers import Later, run, stage, state
from tests.floor import Floor, buy, deal, refusal
from tradewright.core.clock import monotonic_seconds, pause
from tradewright.postgres.connect import Session
from tradewright.trading import overdue, unanswered
from tradewright.trading.engine import Engine
from tradewright.trading.vigil import BEAT_MS

SECONDS_MAX = 30
SOME_BEATS = 3 * BEAT_MS / 1000


def alerts(floor: Floor, kind: str = "answer_unbooked") -> list[tuple[str, str, bool]]:
    """Return about what people were told, how grave it is, and whether it is over."""
    return floor.rows(
        "SELECT about, severity, resolved_at IS NOT NULL FROM alerts WHERE kind = %s ORDER BY id",
        kind,
    )


def wait_for_alerts(
    floor: Floor, expected: list[tuple[str, str, bool]], kind: str = "answer_unbooked"
) -> None:
    end = monotonic_seconds() + SECONDS_MAX
    while alerts(floor, kind) != expected and monotonic_seconds() < end:
        pause(0.05)
    assert alerts(floor, kind) == expected


def route(floor: Floor, running: Engine, account: str) -> str:
    """Pass an order on to a provider and return its id."""
    floor.quote(running, "EURUSD", "1.10000", "1.10010")
    deal(running, buy(account))
    return str(floor.one("SELECT id FROM orders"))


def test_people_are_told_of_an_answer_that_fails_each_time_and_when_it_is_booked(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        order_id = route(floor, running, account)
        engine.execute("ALTER TABLE order_fills RENAME TO mislaid")
        late.tell(late.asked[0], 30_000)
        assert "DATABASE_STATEMENT_FAILED" in str(refusal(running.wait_until_idle))
        late.tell(late.asked[0], 70_000)  # waits behind the first, whose reason is told
        wait_for_alerts(floor, [(order_id, "critical", False)])
        what = floor.one("SELECT what FROM alerts WHERE kind = 'answer_unbooked'")
        assert what.startswith(f"what a provider answered for order {order_id} cannot be booked: ")
        assert "order_fills" in what
        engine.execute("ALTER TABLE mislaid RENAME TO order_fills")
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        assert state(floor) == ("filled", 100_000, False)
        wait_for_alerts(floor, [(order_id, "critical", True)])
    assert floor.broken_laws() == {}


def test_who_has_seen_it_is_not_told_again_by_the_same_engine(
    engine_database: str, engine: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overdue, "OVERDUE_BEATS", 1)
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        order_id = route(floor, running, account)
        engine.execute("ALTER TABLE order_fills RENAME TO mislaid")
        late.tell(late.asked[0], 100_000)
        refusal(running.wait_until_idle)
        wait_for_alerts(floor, [(order_id, "critical", False)])
        engine.execute("UPDATE alerts SET acknowledged_by = 'anna', acknowledged_at = now()")
        pause(SOME_BEATS)
        assert alerts(floor) == [(order_id, "critical", False)]
        engine.execute("ALTER TABLE mislaid RENAME TO order_fills")
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        wait_for_alerts(floor, [(order_id, "critical", True)])


def test_the_next_engine_ends_what_the_one_before_it_has_told_of(
    engine_database: str, engine: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overdue, "OVERDUE_BEATS", 1)
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        order_id = route(floor, running, account)
        engine.execute("ALTER TABLE order_fills RENAME TO mislaid")
        late.tell(late.asked[0], 100_000)
        refusal(running.wait_until_idle)
        wait_for_alerts(floor, [(order_id, "critical", False)])
    engine.execute("ALTER TABLE mislaid RENAME TO order_fills")
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        wait_for_alerts(floor, [(order_id, "critical", True)])
        assert state(floor) == ("filled", 100_000, False)


def test_an_answer_that_is_booked_at_once_raises_nothing(
    engine_database: str, engine: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overdue, "OVERDUE_BEATS", 1)
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        route(floor, running, account)
        pause(SOME_BEATS)  # a provider that thinks is not what people are told of
        late.tell(late.asked[0], 100_000)
        running.wait_until_idle()
        pause(SOME_BEATS)
    assert alerts(floor) == []


def test_of_what_has_no_rate_people_are_told_that(
    engine_database: str, engine: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overdue, "OVERDUE_BEATS", 1)
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        order_id = route(floor, running, account)
    late.keep(late.asked[0], 100_000)
    fresh = Later(late.profile)
    fresh.asked, fresh.told = late.asked, late.told
    with run(floor, {"LP-ONE": fresh}) as running:
        wait_for_alerts(floor, [(order_id, "critical", False)])
        what = floor.one("SELECT what FROM alerts WHERE kind = 'answer_unbooked'")
        assert what.endswith("there is no rate to value it by")
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        wait_for_alerts(floor, [(order_id, "critical", True)])
    assert state(floor) == ("filled", 100_000, False)


def test_people_are_told_of_an_order_that_its_provider_is_silent_about_until_it_answers(
    engine_database: str, engine: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unanswered, "UNANSWERED_BEATS", 2)
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        order_id = route(floor, running, account)
        wait_for_alerts(floor, [(order_id, "critical", False)], "answer_missing")
        what = floor.one("SELECT what FROM alerts WHERE kind = 'answer_missing'")
        assert what.startswith(
            "provider LP-ONE has not said for half a minute what became of order "
        )
        engine.execute("UPDATE alerts SET acknowledged_by = 'anna', acknowledged_at = now()")
        pause(SOME_BEATS)
        late.tell(late.asked[0], 100_000)
        wait_for_alerts(floor, [(order_id, "critical", True)], "answer_missing")


def test_the_next_engine_ends_what_a_provider_said_to_nobody(
    engine_database: str, engine: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unanswered, "UNANSWERED_BEATS", 1)
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        order_id = route(floor, running, account)
        wait_for_alerts(floor, [(order_id, "critical", False)], "answer_missing")
    monkeypatch.setattr(unanswered, "UNANSWERED_BEATS", 1_000)
    late.keep(late.asked[0], 100_000)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        wait_for_alerts(floor, [(order_id, "critical", True)], "answer_missing")
        assert state(floor) == ("filled", 100_000, False)
