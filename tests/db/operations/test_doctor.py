"""The doctor: each check sees the thing broken for real, and is quiet while it is right."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.conninfo import make_conninfo

from tests.cast import open_user, open_wallet, play, value
from tests.conftest import migrate_engine
from tests.style.house import ROOT
from tradewright import audit
from tradewright.cli.main import cli
from tradewright.core.clock import pause
from tradewright.core.ids import new_id_text
from tradewright.ledger import sealing
from tradewright.operations import doctor
from tradewright.operations.doctor import CHECKS, Examined, Finding, Ground, Verdict, checks
from tradewright.operations.doctor.checks import (
    blocked_sessions,
    clocks,
    connections,
    dead_rows,
    long_transactions,
    prepared_transactions,
    replication_slots,
    seals,
    sequences,
    server_version,
    transaction_ids,
    unused_indexes,
)
from tradewright.postgres.binaries import server_user
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.embedded import EmbeddedServer

PAGE = ROOT / "docs" / "reference" / "doctor.md"
BY_NAME = {check.name: check for check in CHECKS}
NOON = datetime(2026, 1, 13, 12, tzinfo=UTC)
APPLIED = [("init_schema", "applied"), ("add_indexes", "applied")]

Breaker = Callable[[Session, str], AbstractContextManager[None]]


def examine(session: Session, name: str, **facts: object) -> Finding:
    ground = Ground(session=session, **{"versions": lambda: APPLIED, **facts})  # type: ignore[arg-type]
    return doctor.examine(ground, [BY_NAME[name]])[0].finding


@pytest.fixture
def right(master: Session) -> Session:
    """Give a session on a house in which nothing is wrong: it was backed up, and drilled."""
    master.execute(
        "INSERT INTO backup_runs (kind, backup, started_at, outcome, bytes, covers_until)"
        " SELECT k, 'first', now(), 'succeeded', 1, now() FROM unnest(ARRAY['full', 'drill']) AS k"
    )
    return master


def statements(*texts: str) -> Breaker:
    """Break by SQL of the superuser; the database is dropped after the test."""

    @contextmanager
    def breaking(session: Session, _: str) -> Iterator[None]:
        for text in texts:
            session.execute(text.encode())
        yield

    return breaking


def setting(name: str, wrong: str) -> Breaker:
    """Break a setting of the whole server, and put it back."""

    @contextmanager
    def breaking(session: Session, _: str) -> Iterator[None]:
        session.execute(f"ALTER SYSTEM SET {name} = '{wrong}'".encode())
        session.execute("SELECT pg_reload_conf()")
        try:
            _until(session, f"SELECT current_setting('{name}') = '{wrong}'")
            yield
        finally:
            session.execute(f"ALTER SYSTEM RESET {name}".encode())
            session.execute("SELECT pg_reload_conf()")
            _until(session, f"SELECT current_setting('{name}') <> '{wrong}'")

    return breaking


def _until(session: Session, question: str) -> None:
    for _ in range(200):
        if value(session, question):
            return
        pause(0.05)
    pytest.fail(question)


def beside(*texts: str, role: str | None = None) -> Breaker:
    """Break by another session, which stays as these statements leave it."""

    @contextmanager
    def breaking(_: Session, house: str) -> Iterator[None]:
        with psycopg.connect(make_conninfo(house, application_name="tradewright engine")) as other:
            if role is not None:
                other.execute(f"SET ROLE {role}".encode())
            for text in texts:
                other.execute(text.encode())
            pause(0.1)
            yield
            other.rollback()

    return breaking


@contextmanager
def blocked(_: Session, house: str) -> Iterator[None]:
    """Let one session wait for a lock of another."""
    text = b"SELECT count(*) FROM tradewright.turns"
    with (
        psycopg.connect(house, autocommit=True) as waiter,
        psycopg.connect(house) as holder,
        ThreadPoolExecutor(1) as pool,
    ):
        holder.execute("LOCK TABLE tradewright.turns")
        waiting = pool.submit(waiter.execute, text)
        pause(0.3)
        yield
        holder.rollback()
        waiting.result(timeout=30)


@contextmanager
def many_sessions(_: Session, house: str) -> Iterator[None]:
    with ExitStack() as opened:
        for _number in range(18):
            opened.enter_context(psycopg.connect(house))
        yield


@contextmanager
def invalid_index(session: Session, _: str) -> Iterator[None]:
    """Let a unique index fail while it is built concurrently."""
    for _number in range(2):
        session.execute("INSERT INTO users (email) VALUES (gen_random_uuid() || '@b.example')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        session.execute("CREATE UNIQUE INDEX CONCURRENTLY wrong ON users (client_class)")
    yield


@contextmanager
def dead_engine(session: Session, _: str) -> Iterator[None]:
    """Let an engine be gone that had an order with a provider."""
    play(session)
    engine_id = new_id_text()
    session.execute("INSERT INTO engines (id, providers) VALUES (%s, '{}')", (engine_id,))
    session.execute("SET session_replication_role = replica")
    session.execute(
        "UPDATE orders SET engine_id = %s, is_routed = true, book = 'A', status = 'new',"
        " filled_quantity = 0, remaining_quantity = quantity, average_price = NULL"
        " WHERE id = (SELECT id FROM orders LIMIT 1)",
        (engine_id,),
    )
    session.execute("SET session_replication_role = origin")
    yield


@contextmanager
def unsealed(session: Session, _: str) -> Iterator[None]:
    open_wallet(session, open_user(session), "100")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(seals, "AGE_MAX", timedelta(0))
        yield


@contextmanager
def many_dead_rows(session: Session, _: str) -> Iterator[None]:
    session.execute("UPDATE currencies SET code = code")
    session.execute("SELECT pg_stat_force_next_flush()")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(dead_rows, "DEAD_MIN", 3)
        yield


@contextmanager
def waiting_setting(session: Session, _: str) -> Iterator[None]:
    """Change what only a restart brings."""
    session.execute("ALTER SYSTEM SET max_connections = 77")
    session.execute("SELECT pg_reload_conf()")
    asked = "SELECT count(*) {} 0 FROM pg_settings WHERE pending_restart"
    try:
        _until(session, asked.format(">"))
        yield
    finally:
        session.execute("ALTER SYSTEM RESET max_connections")
        session.execute("SELECT pg_reload_conf()")
        _until(session, asked.format("="))


@contextmanager
def forgotten_slot(session: Session, _: str) -> Iterator[None]:
    """Reserve WAL for somebody who never comes."""
    session.execute("SELECT pg_create_physical_replication_slot('forgotten', true)")
    try:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(replication_slots, "SECONDS_MAX", 0)
            yield
    finally:
        session.execute("SELECT pg_drop_replication_slot('forgotten')")


@contextmanager
def lost_slot(session: Session, house: str) -> Iterator[None]:
    """Let the server take back the WAL that it kept for a slot."""
    with forgotten_slot(session, house), setting("max_slot_wal_keep_size", "1MB")(session, house):
        for _number in range(3):
            session.execute("SELECT pg_logical_emit_message(false, 'x', 'x'), pg_switch_wal()")
        for _number in range(100):  # until who makes checkpoints has read the setting
            session.execute("CHECKPOINT")
            if value(session, "SELECT wal_status FROM pg_replication_slots") == "lost":
                break
            pause(0.05)
        yield


@contextmanager
def prepared(session: Session, house: str) -> Iterator[None]:
    """Prepare a transaction and go away."""
    with psycopg.connect(house) as other:
        other.execute("SELECT pg_advisory_xact_lock(1)")
        other.execute("PREPARE TRANSACTION 'left_over'")
    try:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(prepared_transactions, "SECONDS_MAX", 0)
            yield
    finally:
        session.execute("ROLLBACK PREPARED 'left_over'")


@contextmanager
def unknown_table(session: Session, _: str) -> Iterator[None]:
    """Load a table of which nobody has told the planner."""
    session.execute(
        "CREATE TABLE arrivals WITH (autovacuum_enabled = false) AS"
        " SELECT repeat('x', 1000) FROM generate_series(1, 1200)"
    )
    yield


@contextmanager
def broken_law(session: Session, _: str) -> Iterator[None]:
    open_wallet(session, open_user(session), "100")
    session.execute("SET session_replication_role = replica")
    session.execute("UPDATE user_balances SET available = 1000")
    session.execute("SET session_replication_role = origin")
    yield


DAMAGE: dict[str, list[tuple[Breaker, Verdict, str]]] = {
    "durability": [
        (setting("fsync", "off"), Verdict.FAILURE, "fsync"),
        (setting("full_page_writes", "off"), Verdict.FAILURE, "full_page_writes"),
        (
            statements("ALTER ROLE tradewright_app SET synchronous_commit = off"),
            Verdict.FAILURE,
            "synchronous_commit of tradewright_app",
        ),
    ],
    "clocks": [(setting("log_timezone", "Asia/Tokyo"), Verdict.WARNING, "Asia/Tokyo")],
    "schema_there": [
        (statements("ALTER SCHEMA tradewright RENAME TO away"), Verdict.FAILURE, "not there"),
        (
            statements("CREATE ROLE stranger_of_the_house", "SET ROLE stranger_of_the_house"),
            Verdict.FAILURE,
            "not there for this role",
        ),
    ],
    "settings_in_force": [(waiting_setting, Verdict.WARNING, "max_connections")],
    "collations": [
        (
            statements(
                "UPDATE pg_database SET datcollversion = '0' WHERE datname = current_database()"
            ),
            Verdict.FAILURE,
            "was 0",
        )
    ],
    "replication_slots": [
        (forgotten_slot, Verdict.WARNING, "forgotten ("),
        (lost_slot, Verdict.FAILURE, "forgotten"),
    ],
    "prepared_transactions": [(prepared, Verdict.WARNING, "left_over of tradewright")],
    "statistics": [(unknown_table, Verdict.WARNING, "arrivals")],
    "archiving": [
        (
            statements("INSERT INTO backup_terms (kind, within) VALUES ('archive', '5 min')"),
            Verdict.FAILURE,
            "archive_mode is off",
        )
    ],
    "standbys": [
        (
            statements("INSERT INTO backup_terms (kind, within) VALUES ('standby', '5 min')"),
            Verdict.FAILURE,
            "no standby follows",
        ),
        (setting("synchronous_standby_names", "nobody"), Verdict.FAILURE, "commits wait"),
    ],
    "backups": [
        (
            statements(
                "INSERT INTO backup_terms (kind, within) VALUES ('drill', '1 second')",
                "SELECT pg_sleep(1.1)",
            ),
            Verdict.FAILURE,
            "no drill since",
        ),
        (
            statements(
                "INSERT INTO backup_runs (kind, backup, started_at, outcome, error_code, error)"
                " VALUES ('full', 'second', now(), 'failed', 'BACKUP_REFUSED', 'no')"
            ),
            Verdict.WARNING,
            "the backup that was tried last has failed",
        ),
    ],
    "indexes_valid": [
        (invalid_index, Verdict.FAILURE, "wrong"),
        (
            statements("DROP INDEX idx_job_runs_job_name_started_at, idx_job_runs_job_name_open"),
            Verdict.WARNING,
            "job_runs_job_exists",
        ),
    ],
    "duplicate_indexes": [
        (
            statements("CREATE INDEX again ON job_runs (job_name, started_at DESC)"),
            Verdict.WARNING,
            "again = idx_job_runs_job_name_started_at",
        ),
        (
            statements(
                "CREATE INDEX again ON job_runs (job_name, started_at DESC)",
                "CREATE INDEX also ON job_runs (job_name, started_at DESC)",
            ),
            Verdict.WARNING,
            "again = also = idx_job_runs_job_name_started_at",
        ),
    ],
    "constraints_valid": [
        (
            statements("ALTER TABLE users ADD CONSTRAINT new_rule CHECK (kyc_level < 9) NOT VALID"),
            Verdict.FAILURE,
            "users new_rule",
        )
    ],
    "guards": [
        (
            statements("ALTER TABLE balance_ledger DISABLE TRIGGER ALL"),
            Verdict.FAILURE,
            "on balance_ledger",
        ),
        (
            statements("DROP TRIGGER trades_are_append_only ON trades"),
            Verdict.FAILURE,
            "trades_are_append_only on trades",
        ),
        (
            statements("ALTER TABLE users ENABLE TRIGGER users_are_audited"),
            Verdict.FAILURE,
            "users_are_audited on users",
        ),
        (
            statements(
                "DO $$ BEGIN EXECUTE (SELECT format('DROP TRIGGER %I ON %s', tgname,"
                " tgrelid::regclass) FROM pg_trigger JOIN pg_inherits ON inhrelid = tgrelid"
                " WHERE tgname LIKE 'audit_log_2%' LIMIT 1); END $$"
            ),
            Verdict.FAILURE,
            "refuses nothing",
        ),
        (
            statements("ALTER ROLE tradewright_app SET session_replication_role = replica"),
            Verdict.FAILURE,
            "all of tradewright_app",
        ),
    ],
    "owner": [
        (statements("ALTER ROLE keeper LOGIN"), Verdict.WARNING, "a role that may log in"),
        (
            statements("ALTER TABLE users OWNER TO tradewright_app"),
            Verdict.WARNING,
            "tradewright_app owns",
        ),
    ],
    "rights": [
        (
            statements("GRANT DELETE ON trades TO tradewright_app"),
            Verdict.FAILURE,
            "beyond: tradewright_app DELETE trades",
        ),
        (
            statements("GRANT UPDATE (leverage) ON accounts TO PUBLIC"),
            Verdict.FAILURE,
            "beyond: PUBLIC UPDATE accounts.leverage",
        ),
        (
            statements("REVOKE INSERT ON orders FROM tradewright_app"),
            Verdict.FAILURE,
            "missing: tradewright_app INSERT orders",
        ),
        (
            statements("GRANT EXECUTE ON FUNCTION seal_ledger(integer) TO PUBLIC"),
            Verdict.FAILURE,
            "EXECUTE PUBLIC seal_ledger",
        ),
        (
            statements("GRANT CREATE ON SCHEMA tradewright TO PUBLIC"),
            Verdict.FAILURE,
            "beyond: PUBLIC CREATE in tradewright",
        ),
        (
            statements("GRANT UPDATE ON SEQUENCE audit_log_seq_seq TO tradewright_app"),
            Verdict.FAILURE,
            "beyond: tradewright_app UPDATE audit_log_seq_seq",
        ),
    ],
    "superusers": [(beside("SELECT 1"), Verdict.WARNING, "tradewright")],
    "functions_pinned": [
        (
            statements("ALTER FUNCTION seal_audit_log() RESET search_path"),
            Verdict.FAILURE,
            "seal_audit_log",
        ),
        (
            statements("ALTER FUNCTION seal_audit_log() SET search_path = tradewright"),
            Verdict.FAILURE,
            "seal_audit_log",
        ),
    ],
    "audit_partitions": [
        (
            statements(
                "DO $$ BEGIN EXECUTE 'DROP TABLE audit_log_' || to_char(now() AT TIME ZONE 'UTC'"
                " + interval '2 months', 'YYYY_MM'); END $$"
            ),
            Verdict.FAILURE,
            "ready for 1 more",
        ),
        (
            statements(
                "DO $$ BEGIN EXECUTE 'ALTER TABLE audit_log DETACH PARTITION audit_log_'"
                " || to_char(now() AT TIME ZONE 'UTC' + interval '1 month', 'YYYY_MM'); END $$"
            ),
            Verdict.FAILURE,
            "ready for 0 more",
        ),
        (
            statements(
                "DO $$ BEGIN EXECUTE 'ALTER TABLE audit_log DETACH PARTITION audit_log_'"
                " || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM'); END $$"
            ),
            Verdict.FAILURE,
            "not ready for this month",
        ),
        (
            statements("CREATE TABLE audit_log_rest PARTITION OF audit_log DEFAULT"),
            Verdict.WARNING,
            "audit_log_rest",
        ),
    ],
    "jobs": [
        (
            statements("UPDATE jobs SET next_due_at = now() - interval '3 hours'"),
            Verdict.WARNING,
            "collect_debts by 180 min",
        ),
        (
            statements("UPDATE jobs SET failure_count = 3 WHERE name = 'seal_ledger'"),
            Verdict.FAILURE,
            "seal_ledger",
        ),
    ],
    "seals": [
        (unsealed, Verdict.WARNING, "the ledger since"),
        (
            statements(
                "SET session_replication_role = replica",
                (
                    "INSERT INTO order_events (order_id, seq, event_type, to_status, actor,"
                    " occurred_at) VALUES (uuidv7(), 1, 'new', 'new', 'engine',"
                    " now() - interval '2 hours')"
                ),
                "SET session_replication_role = origin",
            ),
            Verdict.WARNING,
            "the events of orders since",
        ),
    ],
    "alerts": [
        (
            statements("SELECT open_alert('critical', 'job_failing', 'x', 'x has failed')"),
            Verdict.WARNING,
            "job_failing x",
        )
    ],
    "engines": [(dead_engine, Verdict.FAILURE, "with 1")],
    "long_transactions": [
        (beside("SELECT 1"), Verdict.WARNING, "idle in transaction"),
    ],
    "blocked_sessions": [(blocked, Verdict.WARNING, "waits for")],
    "transaction_ids": [
        (setting("autovacuum", "off"), Verdict.WARNING, "autovacuum is off for the server"),
        (
            statements("ALTER TABLE orders SET (autovacuum_enabled = false)"),
            Verdict.WARNING,
            "autovacuum is off for orders",
        ),
    ],
    "sequences": [
        (
            statements(
                "ALTER TABLE backup_terms ALTER COLUMN seq SET MAXVALUE 100 SET CYCLE",
                "ALTER TABLE backup_terms ALTER COLUMN seq SET NO CYCLE RESTART 60",
                "INSERT INTO backup_terms (kind) VALUES ('drill')",
            ),
            Verdict.WARNING,
            "backup_terms_seq_seq at 60%",
        ),
        (
            statements(
                "ALTER TABLE backup_terms ALTER COLUMN seq SET MAXVALUE 100 RESTART 95",
                "INSERT INTO backup_terms (kind) VALUES ('drill')",
            ),
            Verdict.FAILURE,
            "backup_terms_seq_seq at 95%",
        ),
    ],
    "dead_rows": [(many_dead_rows, Verdict.WARNING, "currencies")],
    "connections": [(many_sessions, Verdict.WARNING, "connections are used")],
    "sequences_ahead": [
        (
            statements(
                "INSERT INTO backup_terms (kind) VALUES ('drill'), ('backup')",
                "ALTER TABLE backup_terms ALTER COLUMN seq RESTART 1",
                "INSERT INTO backup_terms (seq, kind) OVERRIDING SYSTEM VALUE VALUES (9, 'drill')",
            ),
            Verdict.FAILURE,
            "backup_terms.seq at 9",
        )
    ],
    "laws": [(broken_law, Verdict.FAILURE, "balance_is_last_entry")],
}
"""What breaks each check for real; how it must be told, and a word that it must say."""

OTHERWISE = {
    "server_version",
    "data_checksums",
    "schema_version",
    "schema_drift",
    "unused_indexes",
}
"""Checks that have a test of their own below."""

CASES = [
    pytest.param(name, number, id=f"{name}-{number}")
    for name, cases in DAMAGE.items()
    for number in range(len(cases))
]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what takes minutes in a house take no time here."""
    monkeypatch.setattr(long_transactions, "IDLE_SECONDS_MAX", 0.05)
    monkeypatch.setattr(blocked_sessions, "SECONDS_MAX", 0.1)


@pytest.mark.parametrize(("name", "number"), CASES)
def test_what_is_broken_is_told_with_why_and_what_to_do_and_what_is_right_is_not(
    right: Session, house: str, impatient: None, name: str, number: int
) -> None:
    breaker, verdict, word = DAMAGE[name][number]
    found = examine(right, name)
    assert found.verdict is Verdict.OK, found
    with breaker(right, house):
        found = examine(right, name)
    _undo(right)
    assert (found.verdict, word in found.what) == (verdict, True), found
    assert found.why
    assert found.hint


def _undo(session: Session) -> None:
    """Put back what belongs to the whole server."""
    session.execute("RESET ROLE")
    session.execute("DROP ROLE IF EXISTS stranger_of_the_house")
    session.execute("ALTER ROLE tradewright_app RESET ALL")
    session.execute("ALTER ROLE keeper NOLOGIN")


def test_a_house_that_is_right_is_told_so_by_every_check(right: Session) -> None:
    play(right)
    sealing.seal(right)
    audit.seal(right)
    audit.seal_records(right)
    right.execute("UPDATE alerts SET acknowledged_at = now(), acknowledged_by = 'anna'")
    examined = doctor.examine(
        Ground(session=right, versions=lambda: APPLIED, differences=list), CHECKS
    )
    assert [one for one in examined if one.finding.verdict is not Verdict.OK] == []
    assert doctor.worst(examined) is Verdict.OK


def test_the_catalogue_its_files_its_page_and_its_trials_are_equal_lists() -> None:
    files = {path.stem for path in Path(str(checks.__file__)).parent.glob("[a-z]*.py")}
    sections = re.findall(r"^## `(\w+)`$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert files == set(BY_NAME)
    assert sections == [check.name for check in CHECKS]
    assert {*DAMAGE, *OTHERWISE} == set(BY_NAME)
    assert all(name == check.name for name, check in BY_NAME.items())


@pytest.mark.parametrize(
    ("number", "words", "verdict"),
    [
        (170004, "17.4", Verdict.FAILURE),
        (190000, "19beta1", Verdict.WARNING),
        (180006, "18.6 (Debian 18.6-1.pgdg12+1)", Verdict.OK),
    ],
)
def test_an_old_server_and_one_that_is_no_release_are_told(
    number: int, words: str, verdict: Verdict
) -> None:
    assert server_version.judge(number, words).verdict is verdict


@pytest.mark.parametrize("seconds", [-90, 90])
def test_a_server_whose_clock_is_wrong_is_told(seconds: int) -> None:
    server = NOON + timedelta(seconds=seconds)
    found = clocks.judge(NOON, server, NOON + timedelta(seconds=0.2))
    assert found.verdict is Verdict.FAILURE
    assert clocks.judge(NOON, NOON + timedelta(seconds=0.1), NOON).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("age", "verdict"),
    [(190_000_000, Verdict.OK), (401_000_000, Verdict.WARNING), (1_000_000_001, Verdict.FAILURE)],
)
def test_transaction_ids_that_run_out_are_told_in_time(age: int, verdict: Verdict) -> None:
    assert transaction_ids.judge("broker", "multixact", age, 200_000_000).verdict is verdict


def test_a_server_that_takes_hardly_anybody_is_a_failure() -> None:
    assert connections.judge(96, 100).verdict is Verdict.FAILURE
    assert connections.judge(80, 100).verdict is Verdict.OK


def test_migrations_that_wait_or_were_edited_are_told(right: Session) -> None:
    waiting = [("init", "applied"), ("laws", "pending")]
    found = examine(right, "schema_version", versions=lambda: waiting)
    assert (found.verdict, found.what) == (Verdict.FAILURE, "migrations: laws pending")
    assert examine(right, "schema_version").verdict is Verdict.OK
    assert examine(right, "schema_version", versions=None).verdict is Verdict.UNKNOWN


def test_what_was_changed_by_hand_is_told_by_the_command(house: str, master: Session) -> None:
    words = ["doctor", "--json", "--only", "schema_drift", "--only", "schema_version"]
    done = CliRunner().invoke(cli, [*words, "--database", house])
    told = {row["check"]: row["verdict"] for row in json.loads(done.stdout)}
    assert told == {"schema_version": "ok", "schema_drift": "ok"}, done.stdout
    master.execute("ALTER TABLE users ADD COLUMN nickname text")
    done = CliRunner().invoke(cli, [*words, "--database", house])
    told = {row["check"]: (row["verdict"], row["what"]) for row in json.loads(done.stdout)}
    assert told["schema_drift"][0] == "failure"
    assert "users" in told["schema_drift"][1]
    assert done.exit_code == 1


def test_a_history_that_no_drift_can_be_told_from_hides_no_other_check(
    house: str, master: Session
) -> None:
    master.execute("UPDATE schema_migrations SET checksum = 'x' WHERE version = '1'")
    words = ["--drift", "--json", "--database", house]
    done = CliRunner().invoke(cli, ["doctor", *words])
    told = {row["check"]: row["verdict"] for row in json.loads(done.stdout)}
    assert (told["schema_version"], told["schema_drift"]) == ("failure", "unknown")
    assert told["guards"] == "ok"


def test_an_index_that_no_query_uses_is_a_note(
    right: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert examine(right, "unused_indexes").what.startswith("each index")
    monkeypatch.setattr(unused_indexes, "_BYTES_MIN", 8192)
    found = examine(right, "unused_indexes")
    assert found.verdict is Verdict.OK
    assert found.what.startswith("note: never used since")


def test_a_reader_sees_what_it_may_and_is_told_what_it_may_not(house: str, right: Session) -> None:
    role = "member_who_reads"
    right.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'secret' IN ROLE tradewright_reader".encode())
    try:
        told = make_conninfo(house, user=role, password="secret")
        with connect(told, autocommit=True) as session:
            ground = Ground(session=session, versions=lambda: APPLIED, differences=list)
            examined = doctor.examine(ground, CHECKS)
    finally:
        right.execute(f"DROP ROLE {role}".encode())
    bad = {one.check.name: one.finding for one in examined if one.finding.verdict is not Verdict.OK}
    assert {name: found.verdict for name, found in bad.items()} == {
        "long_transactions": Verdict.UNKNOWN,
        "superusers": Verdict.WARNING,  # the session of this test
    }
    assert "pg_monitor" in bad["long_transactions"].hint


def test_a_check_that_may_not_look_says_so_and_hides_no_other(right: Session) -> None:
    right.execute("REVOKE SELECT ON alerts FROM tradewright_reader")
    right.execute("SET ROLE tradewright_reader")
    chosen = [BY_NAME["alerts"], BY_NAME["guards"]]
    examined = doctor.examine(Ground(session=right), chosen)
    assert [one.finding.verdict for one in examined] == [Verdict.UNKNOWN, Verdict.OK]
    assert doctor.worst(examined) is Verdict.UNKNOWN


def test_who_may_not_look_into_the_house_is_told_so_and_nothing_is_vouched_for(house: str) -> None:
    """A check that sees no table found every table in order, and the command ended with 0."""
    with psycopg.connect(house, autocommit=True) as session:
        session.execute("CREATE ROLE nobody_of_us LOGIN PASSWORD 'secret'")
    try:
        told = make_conninfo(house, user="nobody_of_us", password="secret")
        done = CliRunner().invoke(cli, ["doctor", "--json", "--database", told])
    finally:
        with psycopg.connect(house, autocommit=True) as session:
            session.execute("DROP ROLE nobody_of_us")
    found = {row["check"]: row["verdict"] for row in json.loads(done.stdout)}
    assert done.exit_code == 1
    assert found["schema_there"] == "failure"
    inside = {one.name for one in CHECKS if not one.of_server} & set(found)
    assert {found[one] for one in inside} == {"unknown"}


def test_sessions_are_counted_whoever_counts(house: str, right: Session) -> None:
    role = "member_who_counts"
    right.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'secret' IN ROLE tradewright_reader".encode())
    try:
        told = make_conninfo(house, user=role, password="secret")
        with many_sessions(right, house), connect(told, autocommit=True) as session:
            assert examine(session, "connections").verdict is not Verdict.OK
    finally:
        right.execute(f"DROP ROLE {role}".encode())


def test_the_command_exits_with_one_for_a_failure_only(house: str, right: Session) -> None:
    right.execute("SELECT open_alert('critical', 'job_failing', 'x', 'x has failed')")
    words = ["doctor", "--database", house]
    done = CliRunner(env={"COLUMNS": "200"}).invoke(cli, words)
    assert (done.exit_code, "2 warning, 0 failure" in done.stdout) == (0, True), done.stdout
    right.execute("ALTER TABLE trades DISABLE TRIGGER ALL")
    done = CliRunner(env={"COLUMNS": "200"}).invoke(cli, words)
    assert done.exit_code == 1
    assert "hint: Use ALTER TABLE ... ENABLE TRIGGER" in done.stdout


def test_a_check_that_is_not_there_is_refused_with_those_that_are(house: str) -> None:
    done = CliRunner().invoke(cli, ["doctor", "--only", "tea", "--database", house])
    assert done.exit_code == 2
    assert 'there is no check "tea"; there are alerts, ' in done.stderr


def test_pages_without_checksums_and_pages_that_do_not_fit_them_are_told() -> None:
    with EmbeddedServer.temporary({"shared_buffers": "16MB"}) as server:
        with connect(server.conninfo(), autocommit=True) as session:
            assert examine(session, "data_checksums").verdict is Verdict.OK
            session.execute("CREATE TABLE public.spoiled AS SELECT repeat('x', 100) AS word")
            path = str(value(session, "SELECT pg_relation_filepath('public.spoiled')"))
        server.stop()
        page = bytearray((server.data / path).read_bytes())
        page[-10] ^= 1
        (server.data / path).write_bytes(page)
        server.start()
        with connect(server.conninfo(), autocommit=True) as session:
            with pytest.raises(psycopg.errors.DataCorrupted):
                session.execute("SELECT * FROM public.spoiled")
            session.execute("SELECT pg_stat_force_next_flush()")
            found = examine(session, "data_checksums")
            assert (found.verdict, "1 pages" in found.what) == (Verdict.FAILURE, True)
        server.stop()
        _run_as_server(server, "pg_checksums", "--disable", "-D", str(server.data))
        server.start()
        with connect(server.conninfo(), autocommit=True) as session:
            assert examine(session, "data_checksums").verdict is Verdict.WARNING


def test_a_standby_is_asked_nothing_that_only_its_primary_can_answer() -> None:
    """It says nothing of archiving and standbys, and hides nothing else."""
    with EmbeddedServer.temporary({"shared_buffers": "16MB"}) as server:
        migrate_engine(server.conninfo())
        with connect(server.conninfo(), autocommit=True) as session:
            session.execute(
                "INSERT INTO backup_terms (kind, within)"
                " VALUES ('archive', '1 second'), ('standby', '1 second')"
            )
        server.stop()
        (server.data / "standby.signal").touch()
        server.start()
        with connect(server.conninfo(), autocommit=True) as session:
            assert value(session, "SELECT pg_is_in_recovery()")
            assert audit.check_and_keep_laws(session)
            ground = Ground(session=session, versions=lambda: APPLIED, differences=list)
            found = {one.check.name: one.finding for one in doctor.examine(ground, CHECKS)}
    bad = {name: one.verdict for name, one in found.items() if one.verdict is not Verdict.OK}
    assert bad == {"backups": Verdict.WARNING, "owner": Verdict.WARNING}
    assert found["standbys"].what == "this is a standby itself"


def _run_as_server(server: EmbeddedServer, program: str, *words: str) -> None:
    user = server_user()
    subprocess.run(
        [str(server.binary(program)), *words],
        check=True,
        capture_output=True,
        cwd=server.home,
        user=user.uid if user.switch else None,
        group=user.gid if user.switch else None,
    )


def test_the_gravest_verdict_is_that_of_the_house() -> None:
    def found(verdict: Verdict) -> Examined:
        return Examined(check=sequences.CHECK, finding=Finding(verdict, "x"))

    assert doctor.worst([]) is Verdict.OK
    assert doctor.worst(map(found, (Verdict.OK, Verdict.UNKNOWN))) is Verdict.UNKNOWN
    assert doctor.worst(map(found, Verdict)) is Verdict.FAILURE
