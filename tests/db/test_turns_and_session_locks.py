"""What only one at a time may do is kept from no one by a role that may only read.

The reader takes every lock that it can name, and the house goes on; whoever holds one and is
killed, in a process of its own, holds it no more.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.cast import value
from tests.conftest import LogIn, OpenSession
from tests.db.sessions import at_once
from tests.fix_floor import FixFloor
from tests.floor import Floor
from tests.news import news, settled_user, start, tell
from tradewright import migrate, operations
from tradewright.core.clock import monotonic_seconds, pause, utc_now
from tradewright.core.errors import MigrationError
from tradewright.core.processes import WorkProcess, serve_requests
from tradewright.liquidity.reconciliation import service as trades
from tradewright.migrate.store import Store
from tradewright.operations import Job, Means, Outcome
from tradewright.payments import Provider
from tradewright.payments.reconciliation.service import reconcile
from tradewright.payments.webhooks.outcome import OutcomeKind
from tradewright.postgres import session_locks
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.session_locks import SessionLock

SINCE = utc_now().date() - timedelta(days=1)
JOB = Job(name="expire_holds", work=lambda _: 1)
JOB_LOCK = SessionLock(name="job/expire_holds", table="job_runs")
PARTITION = "SELECT create_audit_log_partition('2031-05-17')"
WEBHOOK_TURN = "SELECT take_turn('webhook/cards/ch_1')"
SECONDS_MAX = 5


def until(is_so: Callable[[], bool]) -> None:
    deadline = monotonic_seconds() + SECONDS_MAX
    while not is_so():
        assert monotonic_seconds() < deadline, "it did not come about"
        pause(0.02)


@contextmanager
def held(session: Session, *keys: str) -> Iterator[None]:
    """Hold the advisory locks of these names."""
    for key in keys:
        session.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (key,))
    yield
    session.execute("SELECT pg_advisory_unlock_all()")


@pytest.fixture
def impatient(engine: Session) -> Session:
    """Wait for no lock longer than a second."""
    engine.execute("SET lock_timeout = '1s'")
    return engine


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT take_turn('job/expire_holds')",
        "INSERT INTO turns (name) VALUES ('job/expire_holds')",
        "SELECT FROM turns FOR UPDATE",
        "SELECT FROM turns FOR KEY SHARE",
        "LOCK TABLE turns IN ROW SHARE MODE",
        "LOCK TABLE ONLY audit_log IN SHARE UPDATE EXCLUSIVE MODE",
        PARTITION,
    ],
)
def test_a_reader_takes_no_turn(
    engine: Session, session_as: Callable[[str], Session], statement: str
) -> None:
    engine.execute("SELECT take_turn('job/expire_holds')")
    reader = session_as("reader")
    with pytest.raises(psycopg.Error) as caught, reader.transaction():
        reader.execute(statement.encode())
    assert caught.value.sqlstate == "42501"


@pytest.mark.parametrize("statement", [WEBHOOK_TURN, PARTITION])
def test_of_two_the_second_waits_for_the_first(
    impatient: Session, open_session: OpenSession, statement: str
) -> None:
    other = open_session()
    with other.transaction():
        other.execute(statement.encode())
        with pytest.raises(psycopg.errors.LockNotAvailable):
            impatient.execute(statement.encode())
    impatient.execute(statement.encode())


def test_whose_turn_it_is_is_told_by_name(impatient: Session, open_session: OpenSession) -> None:
    other = open_session()
    with other.transaction():
        other.execute(WEBHOOK_TURN.encode())
        impatient.execute("SELECT take_turn('webhook/cards/ch_2')")


def test_many_take_a_turn_one_after_the_other(engine: Session, open_session: OpenSession) -> None:
    engine.execute("CREATE TABLE counted AS SELECT 0 AS n")

    def count_up(session: Session) -> None:
        for _ in range(20):
            with session.transaction():
                session.execute(WEBHOOK_TURN.encode())
                seen = value(session, "SELECT n FROM counted")
                session.execute("UPDATE counted SET n = %s::integer + 1", (seen,))

    at_once(open_session, [count_up] * 6)
    assert value(engine, "SELECT n FROM counted") == 120


def serve_holder(pipe: Connection, conninfo: str) -> None:
    """Be a process that takes a turn, or the lock of a job, and keeps it."""
    with connect(conninfo) as session:

        def hold(statement: str) -> bool:
            if statement:
                session.execute(statement.encode())
                return True
            return session_locks.try_lock(session, JOB_LOCK) is not None

        serve_requests(pipe, hold)


@pytest.mark.parametrize("statement", [WEBHOOK_TURN, PARTITION])
def test_who_is_killed_during_its_turn_keeps_nobody_waiting(
    impatient: Session, engine_database: str, statement: str
) -> None:
    with WorkProcess[bool](serve_holder, engine_database) as holder:
        holder.begin(statement)
        assert holder.finish()
        holder.kill()
        impatient.execute(statement.encode())


def test_who_is_killed_has_no_lock_any_more(engine: Session, engine_database: str) -> None:
    with WorkProcess[bool](serve_holder, engine_database) as holder:
        holder.begin("")
        assert holder.finish()
        assert session_locks.try_lock(engine, JOB_LOCK) is None
        (known,) = session_locks.holders(engine, JOB_LOCK)
        assert (known.application, known.user, known.address) == (
            *("tradewright", "tradewright"),
            known.address,
        )
        holder.kill()
        until(lambda: session_locks.try_lock(engine, JOB_LOCK) is not None)


def test_a_lock_is_given_back_and_had_by_one(engine: Session, open_session: OpenSession) -> None:
    other = open_session()
    number = session_locks.try_lock(engine, JOB_LOCK)
    assert number is not None
    assert session_locks.try_lock(other, JOB_LOCK) is None
    assert (
        session_locks.try_lock(other, SessionLock(name="job/other", table="job_runs")) is not None
    )
    session_locks.unlock(engine, JOB_LOCK, number)
    assert session_locks.try_lock(other, JOB_LOCK) is not None


def test_a_lock_of_whoever_may_not_write_counts_nothing(
    engine: Session, session_as: Callable[[str], Session]
) -> None:
    reader, application = session_as("reader"), session_as("app")
    session_locks.lock_beside(reader, JOB_LOCK)
    session_locks.lock_beside(application, JOB_LOCK)
    assert session_locks.holders(engine, JOB_LOCK) == []
    assert session_locks.try_lock(session_as("operator"), JOB_LOCK) is not None
    assert len(session_locks.holders(engine, JOB_LOCK)) == 1


def test_a_lock_counts_if_its_holder_may_become_who_may_write(
    engine: Session, log_in: LogIn
) -> None:
    conninfo = log_in("reader")
    member = conninfo_to_dict(conninfo)["user"]
    grant = f"GRANT tradewright_operator TO {member} WITH INHERIT FALSE, SET TRUE"
    engine.execute(grant.encode())
    with connect(conninfo, autocommit=True) as other:
        assert session_locks.try_lock(other, JOB_LOCK) is not None
        assert session_locks.try_lock(engine, JOB_LOCK) is None


def test_a_reader_keeps_no_runner_from_a_job(
    engine: Session, session_as: Callable[[str], Session], log_in: LogIn
) -> None:
    reader, operator = session_as("reader"), log_in("operator")
    session_locks.lock_beside(reader, JOB_LOCK)
    means = Means(source=lambda: connect(operator, autocommit=True))
    with held(reader, "tradewright/job/expire_holds", "job/expire_holds"):
        (report,) = operations.run_due(means, [JOB])
    assert report.outcome is Outcome.SUCCEEDED


def test_a_reader_keeps_no_message_of_a_provider_waiting(
    impatient: Session, session_as: Callable[[str], Session]
) -> None:
    payment = start(impatient, settled_user(impatient))
    with held(session_as("reader"), f"webhook/cards/ch_{payment.id}"):
        outcome = tell(impatient, news(payment, "charge.succeeded"))
    assert outcome.kind is OutcomeKind.APPLIED


def test_a_reader_keeps_no_reconciliation_waiting(
    floor: Floor, impatient: Session, session_as: Callable[[str], Session]
) -> None:
    provider_id = value(impatient, "SELECT id::text FROM liquidity_providers WHERE code = 'LP-ONE'")
    with held(session_as("reader"), "reconciliation/cards", f"provider_trades/{provider_id}"):
        assert sum(reconcile(impatient, Provider.CARDS, since=SINCE).values()) == 0
        assert sum(trades.reconcile(impatient, "LP-ONE", since=SINCE).values()) == 0


def test_a_reader_keeps_no_partition_from_being_made(
    impatient: Session, session_as: Callable[[str], Session]
) -> None:
    reader = session_as("reader")
    with held(reader, "create_audit_log_partition"), reader.transaction():
        reader.execute("SELECT count(*) FROM audit_log")
        assert value(impatient, PARTITION) == "audit_log_2031_05"


def test_a_reader_opens_no_door_to_a_fix_session_that_is_spoken_on(
    engine_database: str, engine: Session, log_in: LogIn, tmp_path: Path
) -> None:
    """It holds what it can name; one engine speaks all the same, and the second is refused."""
    stage = FixFloor.opened(engine_database, engine, tmp_path)
    with stage.both() as (_, running):
        stage.deal(running)
    (name,) = engine.execute(
        "SELECT provider_id || '/' || sender_comp_id || '/' || target_comp_id FROM fix_sessions"
    ).fetchone() or ("",)
    with connect(log_in("reader"), autocommit=True) as reader:
        session_locks.lock_beside(reader, SessionLock(name=f"fix/{name}", table="fix_messages"))
        with held(reader, f"tradewright/fix/{name}"), stage.both() as (_, running):
            stage.deal(running)
            with pytest.raises(Exception, match="is open elsewhere"):
                stage.engine().__enter__()


@pytest.fixture
def stranger(database: str) -> Iterator[str]:
    """Somebody who may connect to a database and nothing else."""
    with connect(database, autocommit=True) as session:
        session.execute("CREATE ROLE stranger LOGIN PASSWORD 'secret'")
        yield make_conninfo(database, user="stranger", password="secret")
        session.execute("DROP OWNED BY stranger")
        session.execute("DROP ROLE stranger")


def _locks_of_the_runner() -> list[SessionLock]:
    return [Store("shop").session_lock(name) for name in ("run", "work")]


@pytest.mark.parametrize("version", [1, 2])
def test_a_stranger_keeps_no_runner_from_migrating(
    database: str, stranger: str, tmp_path: Path, version: int
) -> None:
    """Neither before there is a schema nor when its history is there."""
    (tmp_path / "001_a.sql").write_text("CREATE TABLE a ();")
    target = migrate.Target(conninfo=database, schema="shop", wait_seconds=0)
    if version == 2:
        migrate.up(target, migrate.find_migrations(tmp_path))
        (tmp_path / "002_b.sql").write_text("CREATE TABLE b ();")
    with connect(stranger, autocommit=True, schema="pg_catalog") as session:
        for lock in _locks_of_the_runner():
            session_locks.lock_beside(session, lock)
        (step,) = migrate.up(target, migrate.find_migrations(tmp_path))
    assert step.migration.version == version


def test_whoever_may_write_the_history_is_waited_for(
    database: str, stranger: str, tmp_path: Path
) -> None:
    (tmp_path / "001_a.sql").write_text("CREATE TABLE a ();\nCREATE SCHEMA spare;")
    migrations = migrate.find_migrations(tmp_path)
    target = migrate.Target(conninfo=database, schema="shop", wait_seconds=0)
    migrate.up(target, migrations)
    with connect(database, autocommit=True) as owner:
        owner.execute("GRANT USAGE ON SCHEMA shop TO stranger")
        owner.execute("GRANT INSERT ON shop.schema_migrations TO stranger")
    for lock in _locks_of_the_runner():
        with connect(stranger, autocommit=True, schema="shop") as session:
            session_locks.lock_beside(session, lock)
            with pytest.raises(MigrationError) as caught:
                migrate.up(target, migrations)
            assert "user stranger" in caught.value.why
