"""Several engines on one database: each asks about its own orders, or those of a dead one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import count
from multiprocessing.connection import Connection
from threading import Thread

import pytest

from tests.conftest import LogIn
from tests.db.trading.test_answers import Later, aside, run, stage, state
from tests.floor import ONE, TWO, Floor, ask, buy, deal, refusal
from tradewright.core.clock import monotonic_seconds, pause
from tradewright.core.errors import DatabaseError, ErrorCode
from tradewright.core.processes import WorkProcess, serve_requests
from tradewright.liquidity.model import ProviderRequest
from tradewright.postgres.connect import Session, connect
from tradewright.risk.limits import Target
from tradewright.trading import vigil
from tradewright.trading.engine import Engine
from tradewright.trading.kill_switch import pull_kill_switch
from tradewright.trading.model import CancelOrder, SubmitOrder
from tradewright.trading.presence import GRACE

SECONDS_MAX = 5
"""How long an engine may take to notice what another process has done."""


def until(is_so: Callable[[], bool]) -> None:
    deadline = monotonic_seconds() + SECONDS_MAX
    while not is_so():
        assert monotonic_seconds() < deadline, "it did not come about"
        pause(0.02)


def serve_engine(pipe: Connection, conninfo: str) -> None:
    """Be an engine in a process of its own; answer an order with what its provider was asked."""
    late = Later(ONE)
    with connect(conninfo, autocommit=True) as session:
        floor = Floor(conninfo, session)
        with run(floor, {"LP-ONE": late}) as engine:
            floor.quote(engine, "EURUSD", "1.10000", "1.10010")

            def submit(order: SubmitOrder) -> list[ProviderRequest]:
                deal(engine, order)
                return late.asked

            serve_requests(pipe, submit)


@contextmanager
def two_engines(
    conninfo: str, session: Session
) -> Iterator[tuple[Floor, str, WorkProcess[list[ProviderRequest]], Engine, Later]]:
    """Give a floor with an account, an engine in another process, and one that lives on here."""
    floor, account, late = stage(conninfo, session)
    with (
        WorkProcess[list[ProviderRequest]](serve_engine, conninfo) as other,
        run(floor, {"LP-ONE": late}) as living,
    ):
        floor.quote(living, "EURUSD", "1.10000", "1.10010")
        yield floor, account, other, living, late


def owners(floor: Floor) -> list[str]:
    return [row[0] for row in floor.rows("SELECT engine_id::text FROM orders ORDER BY id")]


def test_the_orders_of_an_engine_that_is_killed_are_taken_over_by_one_that_lives(
    engine_database: str, engine: Session
) -> None:
    with two_engines(engine_database, engine) as (floor, account, other, living, late):
        other.begin(buy(account))
        late.asked = other.finish()
        late.keep(late.asked[0], 30_000)
        pause(1.2)
        assert (state(floor), living.pending_count) == (("new", 0, True), 0)
        other.kill()
        until(lambda: living.pending_count == 1)
        until(lambda: state(floor) == ("partially_filled", 30_000, True))
        late.tell(late.asked[0], 30_000)
        late.tell(late.asked[0], 40_000)
        living.wait_until_idle()
    assert state(floor) == ("filled", 100_000, False)
    assert floor.position(account) == 100_000
    assert aside(floor) == []
    rows = floor.rows("SELECT taken_over_by IS NOT NULL FROM engines ORDER BY taken_over_at")
    assert rows == [(True,), (False,)]
    assert floor.broken_laws() == {}


def test_an_order_that_a_killed_engine_had_not_passed_on_ends_unfilled(
    engine_database: str, engine: Session
) -> None:
    with two_engines(engine_database, engine) as (floor, account, other, living, _):
        other.begin(buy(account))
        other.finish()
        other.kill()
        until(lambda: state(floor) == ("rejected", 0, False))
        living.wait_until_idle()
    assert floor.position(account) == 0
    assert aside(floor) == []
    assert floor.broken_laws() == {}


def test_an_engine_that_could_not_start_leaves_what_it_took_over_to_others(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    with WorkProcess[list[ProviderRequest]](serve_engine, engine_database) as other:
        other.begin(buy(account))
        other.finish()
        (killed,) = owners(floor)
        other.kill()
    until(lambda: not floor.rows("SELECT FROM pg_locks WHERE locktype = 'advisory'"))
    opened = count()

    def open_session() -> Session:
        if next(opened) == 2:
            why, hint = "The server has just been killed.", "Try again."
            raise DatabaseError(ErrorCode.DATABASE_UNREACHABLE, "no server", why=why, hint=hint)
        return connect(engine_database, writer=True, autocommit=True)

    failing = Engine(open_session, {"LP-ONE": late})
    with pytest.raises(DatabaseError):
        failing.start()
    (taken_by,) = owners(floor)
    assert taken_by != killed
    with run(floor, {"LP-ONE": late}) as living:
        until(lambda: owners(floor) != [taken_by])
        until(lambda: state(floor) == ("rejected", 0, False))
        living.wait_until_idle()
    assert floor.broken_laws() == {}


def test_an_order_that_was_lost_sight_of_is_taken_up_again(
    engine_database: str, engine: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vigil, "SEARCH_BEATS", 1)
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        pause(1.2)
        assert (state(floor), running.pending_count) == (("new", 0, True), 1)
        late.keep(late.asked[0], 100_000)
        running._dispatcher.drop(late.asked[0].request_id)
        until(lambda: state(floor) == ("filled", 100_000, False))
    assert floor.position(account) == 100_000
    assert floor.broken_laws() == {}


def test_a_starting_engine_leaves_alone_what_a_living_one_asks_about(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as first:
        floor.quote(first, "EURUSD", "1.10000", "1.10010")
        deal(first, buy(account))
        late.tell(late.asked[0], 30_000)
        first.wait_until_idle()
        with run(floor, {"LP-ONE": Later(ONE)}) as second:
            second.wait_until_idle()
            assert second.pending_count == 0
            assert state(floor) == ("partially_filled", 30_000, True)
        late.tell(late.asked[0], 70_000)
        first.wait_until_idle()
    assert (state(floor), aside(floor)) == (("filled", 100_000, False), [])
    assert floor.broken_laws() == {}


def test_an_engine_that_stops_leaves_its_orders_to_one_that_lives(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    successor = Later(ONE)
    with run(floor, {"LP-ONE": successor}) as living:
        with run(floor, {"LP-ONE": late}) as first:
            floor.quote(first, "EURUSD", "1.10000", "1.10010")
            deal(first, buy(account))
            floor.quote(living, "EURUSD", "1.10000", "1.10010")
            successor.asked = late.asked
        until(lambda: living.pending_count == 1)
        successor.tell(late.asked[0], 100_000)
        living.wait_until_idle()
    assert (state(floor), aside(floor)) == (("filled", 100_000, False), [])


def test_only_an_engine_that_reaches_all_its_providers_takes_over(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as first:
        floor.quote(first, "EURUSD", "1.10000", "1.10010")
        deal(first, buy(account))
    with run(floor, {}) as other:
        other.wait_until_idle()
        pause(1.2)
    assert state(floor) == ("new", 0, True)
    with run(floor, {"LP-ONE": late, "LP-TWO": Later(TWO)}) as reaching:
        assert reaching.pending_count == 1


def lose_proof_of_life(floor: Floor, running: Engine) -> None:
    """End the session that holds an engine's lock, and do not let the engine notice."""
    running._vigil.stop()
    session = running._presence._session
    assert session is not None
    floor.rows("SELECT pg_terminate_backend(%s, 5000)", session.info.backend_pid)


def test_an_engine_that_was_taken_for_dead_decides_nothing_more_about_its_orders(
    engine_database: str, engine: Session
) -> None:
    """Its late last word neither ends the order of its successor nor asks the next provider."""
    floor, account, late = stage(engine_database, engine)
    second, successor = Later(TWO), Later(ONE)
    with (
        run(floor, {"LP-ONE": late, "LP-TWO": second}) as lost,
        run(floor, {"LP-ONE": successor, "LP-TWO": Later(TWO)}) as living,
    ):
        floor.quote(lost, "EURUSD", "1.10000", "1.10010")
        floor.quote(living, "EURUSD", "1.10000", "1.10010")
        deal(lost, buy(account))
        successor.asked = late.asked
        before = owners(floor)
        lose_proof_of_life(floor, lost)
        until(lambda: owners(floor) != before)
        living.wait_until_idle()
        assert refusal(lambda: deal(lost, buy(account))).code is ErrorCode.ENGINE_TAKEN_OVER
        lost._presence.let_go()
        lost._presence.hold()
        late.tell(late.asked[0], 30_000, is_final=True)
        lost.wait_until_idle()
        assert second.asked == []
        assert state(floor) == ("partially_filled", 30_000, True)
        successor.told = late.told
        successor.listener.take_answer(late.asked[0], late.told[late.asked[0].request_id][0])
        living.wait_until_idle()
    assert floor.position(account) == 30_000
    assert aside(floor) == []
    assert floor.broken_laws() == {}


def test_an_engine_that_lost_its_proof_of_life_takes_it_again(
    engine_database: str, engine: Session
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        before = owners(floor)
        session = running._presence._session
        assert session is not None
        floor.rows("SELECT pg_terminate_backend(%s, 5000)", session.info.backend_pid)
        until(lambda: running._presence._session not in {None, session})
        assert (owners(floor), running.pending_count) == (before, 1)
        late.tell(late.asked[0], 100_000)
        running.wait_until_idle()
    assert (state(floor), aside(floor)) == (("filled", 100_000, False), [])
    assert floor.one("SELECT count(*) FROM engines") == 1


def test_an_engine_whose_lock_a_reader_took_comes_back_as_another(
    engine_database: str, engine: Session, log_in: LogIn
) -> None:
    """Whoever may only read waits for the lock, has it for good, and keeps nobody out."""
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running, connect(log_in("reader")) as reader:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account))
        (before,) = owners(floor)
        wait = "SELECT pg_advisory_lock(hashtextextended(%s, 0))"
        waiting = Thread(target=reader.execute, args=(wait, (f"tradewright/engine/{before}",)))
        waiting.start()
        until(lambda: bool(floor.rows("SELECT FROM pg_locks WHERE NOT granted")))
        session = running._presence._session
        assert session is not None
        floor.rows("SELECT pg_terminate_backend(%s, 5000)", session.info.backend_pid)
        waiting.join()
        pause(GRACE.total_seconds())
        until(lambda: owners(floor) != [before])
        late.tell(late.asked[0], 100_000)
        running.wait_until_idle()
    assert state(floor) == ("filled", 100_000, False)
    assert floor.broken_laws() == {}


@pytest.mark.parametrize("how", ["canceled", "killed"])
def test_what_another_process_wants_ended_is_asked_back_from_the_provider(
    engine_database: str, engine: Session, how: str
) -> None:
    floor, account, late = stage(engine_database, engine)
    with run(floor, {"LP-ONE": late}) as running, run(floor, {}) as other:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, client_order_id="mine"))
        if how == "canceled":
            ask(other, CancelOrder(account_id=account, client_order_id="mine"))
        else:
            pull_kill_switch(engine, Target(), actor="anna", reason="drill")
        until(lambda: late.canceled == [late.asked[0].request_id])
        late.tell(late.asked[0], 0, is_final=True)
        running.wait_until_idle()
    assert state(floor) == ("canceled", Decimal(0), False)
