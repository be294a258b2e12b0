"""What one engine books, the others of its database learn of: they watch it, or no longer."""

from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from tests.db.trading.test_several_engines import until
from tests.floor import ONE, Floor, buy, deal
from tradewright.core.clock import pause
from tradewright.core.processes import WorkProcess, serve_requests
from tradewright.postgres.connect import Session, connect
from tradewright.trading.engine import Engine
from tradewright.trading.looking import Looking
from tradewright.trading.model import CancelOrder, OrderReport, SubmitOrder
from tradewright.trading.news import TOLD_TOGETHER, messages, read_message
from tradewright.trading.state import Desk

TOLD_AFTER = 1.5
"""Seconds after which an engine knows what another has booked: two beats and some work."""

Other = WorkProcess[OrderReport]


def serve_trader(pipe: Connection, conninfo: str) -> None:
    """Be an engine in a process of its own, and do what it is told."""
    with (
        connect(conninfo, autocommit=True) as session,
        Floor(conninfo, session, (ONE,)).engine() as e,
    ):

        def work(command: SubmitOrder | CancelOrder) -> OrderReport:
            return deal(e, command)

        serve_requests(pipe, work)


@contextmanager
def two_engines(conninfo: str, session: Session) -> Iterator[tuple[Floor, str, Other, Engine]]:
    """Give a floor with an account, an engine in another process, and one in this."""
    floor = Floor.opened(conninfo, session, (ONE,))
    account = floor.account("4000")
    with Other(serve_trader, conninfo) as other, floor.engine() as engine:
        until(lambda: floor.one("SELECT count(*) FROM engines") == 2)
        yield floor, account, other, engine


def told(other: Other, command: SubmitOrder | CancelOrder) -> OrderReport:
    """Let the other process do something, and wait until this one must have heard of it."""
    other.begin(command)
    report = other.finish()
    pause(TOLD_AFTER)
    return report


def origins(floor: Floor) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in floor.rows("SELECT origin, status FROM orders ORDER BY id")]


def test_an_engine_watches_what_another_process_has_taken(
    engine_database: str, engine: Session
) -> None:
    with two_engines(engine_database, engine) as (floor, account, other, here):
        told(other, buy(account, 50_000, stop_loss="1.08500"))
        told(other, buy(account, 10_000, limit_price="1.09000"))
        floor.quote(here, "EURUSD", "1.08900", "1.08910")
        assert origins(floor) == [("client", "filled"), ("client", "filled")]
        floor.quote(here, "EURUSD", "1.08400", "1.08410")
        assert origins(floor)[2:] == [("stop_loss", "filled")]
    assert floor.broken_laws() == {}


def test_an_engine_calls_and_stops_out_accounts_that_only_another_process_has_traded_for(
    engine_database: str, engine: Session
) -> None:
    with two_engines(engine_database, engine) as (floor, account, other, here):
        told(other, buy(account))
        floor.quote(here, "EURUSD", "1.07000", "1.07010")
        assert floor.position(account) == 0
        assert floor.one("SELECT count(*) FROM stop_outs") == 1
    assert floor.broken_laws() == {}


def test_an_engine_watches_no_longer_for_what_another_process_has_ended(
    engine_database: str, engine: Session
) -> None:
    with two_engines(engine_database, engine) as (floor, account, other, here):
        told(other, buy(account, limit_price="1.09000", client_order_id="mine"))
        told(other, CancelOrder(account_id=account, client_order_id="mine"))
        commands = here.counts.commands
        floor.quote(here, "EURUSD", "1.08900", "1.08910")
        assert here.counts.commands == commands


def test_what_a_killed_engine_has_not_told_is_found(engine_database: str, engine: Session) -> None:
    with two_engines(engine_database, engine) as (floor, account, other, here):
        other.begin(buy(account, limit_price="1.09000"))
        other.finish()
        other.kill()
        until(
            lambda: floor.one("SELECT count(*) FROM engines WHERE taken_over_by IS NOT NULL") == 1
        )
        pause(TOLD_AFTER)
        floor.quote(here, "EURUSD", "1.08900", "1.08910")
        assert origins(floor) == [("client", "filled")]


def test_what_a_killed_engine_has_not_told_is_found_where_nobody_can_take_over(
    engine_database: str, engine: Session
) -> None:
    floor = Floor.opened(engine_database, engine, (ONE,))
    account, apart = floor.account(), Floor(engine_database, engine, ())
    with Other(serve_trader, engine_database) as other, apart.engine() as here:
        other.begin(buy(account, limit_price="1.09000"))
        other.finish()
        other.kill()
        pause(TOLD_AFTER)
        assert here._watchers.begin_look([account]) != []
    assert floor.one("SELECT count(*) FROM engines WHERE taken_over_by IS NOT NULL") == 0


def test_what_was_told_while_the_session_was_lost_is_found(
    engine_database: str, engine: Session
) -> None:
    with two_engines(engine_database, engine) as (floor, account, other, here):
        here._vigil.stop()
        told(other, buy(account, 10_000, limit_price="1.09000"))
        session = here._presence._session
        assert session is not None
        floor.rows("SELECT pg_terminate_backend(%s, 5000)", session.info.backend_pid)
        here._presence.let_go()
        here._presence.hold()
        here._news.exchange()
        here._news.close()
        floor.quote(here, "EURUSD", "1.08900", "1.08910")
        assert origins(floor) == [("client", "filled")]


def test_news_that_could_not_be_told_are_told_later(engine_database: str, engine: Session) -> None:
    floor = Floor.opened(engine_database, engine, (ONE,))
    with floor.engine() as first, floor.engine() as second:
        account = floor.account("100000")
        first._vigil.stop()
        deal(first, buy(account, limit_price="1.09000"))
        session = first._presence._session
        assert session is not None
        floor.rows("SELECT pg_terminate_backend(%s, 5000)", session.info.backend_pid)
        try:
            first._news.exchange()
        except Exception:  # noqa: BLE001 (whatever a lost session raises)
            first._presence.let_go()
        first._presence.hold()
        first._news.exchange()
        first._news.close()
        pause(TOLD_AFTER)
        assert second._watchers.begin_look([account]) != []


def test_an_engine_alone_keeps_nothing_to_tell(engine_database: str, engine: Session) -> None:
    floor = Floor.opened(engine_database, engine, (ONE,))
    with floor.engine() as alone:
        alone._vigil.stop()
        deal(alone, buy(floor.account("100000")))
        assert alone._news._untold == {}


def test_an_engine_does_not_look_at_what_it_has_booked_itself(
    engine_database: str, engine: Session
) -> None:
    floor = Floor.opened(engine_database, engine, (ONE,))
    with floor.engine() as first, floor.engine() as second:
        first._vigil.stop()
        second._vigil.stop()
        account = floor.account("100000")
        deal(first, buy(account))
        assert first._news._untold == {account: None}
        first._news._tell()
        for one in (first, second):
            one._presence.take_over()
        assert first._presence.hear() == []
        assert second._presence.hear() == [*messages([account])]


class Overtaken(Looking):
    """Reads accounts, and lets an own batch change one before it teaches the watchers."""

    engine: Engine
    ends: CancelOrder

    def _read(self, session: Session, account_ids: list[str], resting: list[str]) -> Desk:
        desk = super()._read(session, account_ids, resting)
        deal(self.engine, self.ends)
        return desk


def test_what_was_read_before_an_own_batch_does_not_take_its_place(
    engine_database: str, engine: Session
) -> None:
    floor = Floor.opened(engine_database, engine, (ONE,))
    with floor.engine() as running:
        account = floor.account("100000")
        deal(running, buy(account, limit_price="1.09000", client_order_id="mine"))
        running._vigil.stop()
        presence, lock = running._presence, running._lock
        looking = Overtaken(
            presence.open_session, presence.trading, running._watchers, running._house, lock
        )
        looking.engine = running
        looking.ends = CancelOrder(account_id=account, client_order_id="mine")
        looking.add([account])
        looking.look()
        looking.close()
        assert running._watchers.begin_look([account]) == []
        assert looking._waiting == {account: None}


def test_a_message_that_no_engine_would_send_changes_nothing(
    engine_database: str, engine: Session
) -> None:
    floor = Floor.opened(engine_database, engine, (ONE,))
    with floor.engine() as running:
        for text in ("", "*", "tradewright", "tradewright x", 'tradewright ["x"]', "tradewright 1"):
            floor.rows("SELECT pg_notify('tradewright_engines', %s)", text)
        unknown = "00000000-0000-7000-8000-000000000000"
        floor.rows("SELECT pg_notify('tradewright_engines', %s)", f'tradewright ["{unknown}"]')
        pause(TOLD_AFTER)
        deal(running, buy(floor.account("100000")))
        assert running._presence._session is not None


def test_every_message_fits_into_a_notification() -> None:
    ids = [f"00000000-0000-7000-8000-{number:012}" for number in range(TOLD_TOGETHER * 2 + 1)]
    told_in = [*messages(ids)]
    assert [len(read_message(one)) for one in told_in] == [TOLD_TOGETHER, TOLD_TOGETHER, 1]
    assert max(len(one) for one in told_in) + len("a" * 63 + " ") < 8_000
