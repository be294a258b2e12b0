"""A runner killed with SIGKILL before, within or behind any statement loses and repeats nothing.

The victim is a real process. The server tells when it may be killed: a trigger or an advisory lock
holds it at the wanted place, so no test hopes for a lucky moment.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tradewright.core.clock import monotonic_seconds, pause
from tradewright.migrate import Target, down, find_migrations, up
from tradewright.postgres.connect import Session, connect

Write = Callable[..., Path]
Ask = Callable[[str], list[tuple[object, ...]]]

GATE = 4711
"""The advisory lock that the statements of these files pass through."""

PASS = f"SELECT pg_advisory_lock_shared({GATE}), pg_advisory_unlock_shared({GATE});\n"

FILES = {
    "_001_tables": (
        "CREATE TABLE users (id int PRIMARY KEY, name text);\n"
        "CREATE TABLE log (n int GENERATED ALWAYS AS IDENTITY, what text);\n"
        "INSERT INTO log (what) VALUES ('001');\n"
    ),
    "_001_tables__down": "DROP TABLE users;\nDROP TABLE log;\n",
    "_002_index": (
        "SET work_mem = '8MB';\n"
        "INSERT INTO log (what) VALUES ('002 ' || current_setting('work_mem'));\n"
        "CREATE INDEX CONCURRENTLY idx_users_name ON users (name);\n"
        "INSERT INTO users SELECT n, 'name ' || n FROM generate_series(1, 50) AS n;\n"
        "CREATE UNIQUE INDEX CONCURRENTLY idx_users_id ON users (id);\n"
        "DROP INDEX CONCURRENTLY idx_users_name;\n"
        "INSERT INTO log (what) VALUES ('002 ' || current_setting('work_mem'));\n"
        "VACUUM users;\n"
    ),
    "_002_index__down": (
        "INSERT INTO log (what) VALUES ('002 down');\n"
        "DROP INDEX CONCURRENTLY idx_users_id;\n"
        "DELETE FROM users;\n"
    ),
    "_003_view": "CREATE VIEW names AS SELECT name FROM users;\nSELECT count(*) FROM names;\n",
    "_003_view__down": "DROP VIEW names;\n",
}

RUN = """
import sys
from pathlib import Path
from tradewright.migrate import Target, down, find_migrations, up
target = Target(conninfo=sys.argv[1], schema="shop")
migrations = find_migrations(Path(sys.argv[2]))
down(target, migrations, to=0) if sys.argv[3] == "down" else up(target, migrations)
"""


def _start(target: Target, folder: Path, direction: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", RUN, target.conninfo, str(folder), direction]
    return subprocess.Popen(command, stderr=subprocess.PIPE)


def _kill(victim: subprocess.Popen[bytes]) -> None:
    victim.send_signal(signal.SIGKILL)
    victim.communicate()


def _until(true: Callable[[], object], victim: subprocess.Popen[bytes]) -> None:
    deadline = monotonic_seconds() + 30
    while not true():
        assert victim.poll() is None, victim.communicate()[1].decode()
        assert monotonic_seconds() < deadline
        pause(0.01)


def _waiting_query(session: Session) -> str | None:
    row = session.execute(
        "SELECT query FROM pg_stat_activity WHERE application_name = 'tradewright migrate'"
        " AND wait_event_type = 'Lock'",
    ).fetchone()
    return None if row is None else str(row[0])


def _gated(text: str, at: int) -> str:
    """Put a gate before line `at` of a file, and one behind its end when there is no such line."""
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:at], PASS, *lines[at:]])


def _outcome(ask: Ask) -> dict[str, list[tuple[object, ...]]]:
    """Return everything that the files were to leave behind."""
    return {
        "relations": ask(
            "SELECT relname, relkind FROM pg_class WHERE relnamespace = 'shop'::regnamespace"
            " ORDER BY 1",
        ),
        "indexes": ask(
            "SELECT indexrelid::regclass::text, indisvalid FROM pg_index"
            " WHERE indrelid = to_regclass('users')",
        ),
        "history": ask(
            "SELECT version, direction, statements_done = statements_total,"
            " finished_at IS NOT NULL FROM schema_migrations ORDER BY version",
        ),
    }


def _boundaries(*suffixes: str) -> list[tuple[str, int]]:
    return [
        (keyword, at)
        for keyword, text in FILES.items()
        if keyword.endswith("__down") == ("down" in suffixes)
        for at in range(len(text.splitlines()) + 1)
    ]


@pytest.mark.parametrize(("keyword", "at"), _boundaries("up"))
def test_a_run_killed_at_any_statement_boundary_ends_as_if_never_killed(
    write: Write,
    target: Target,
    ask: Ask,
    session: Session,
    *,
    keyword: str,
    at: int,
) -> None:
    folder = write(**{**FILES, keyword: _gated(FILES[keyword], at)})
    session.execute("SELECT pg_advisory_lock(%s)", (GATE,))
    victim = _start(target, folder, "up")
    _until(lambda: _waiting_query(session), victim)
    _kill(victim)
    session.execute("SELECT pg_advisory_unlock(%s)", (GATE,))

    up(target, find_migrations(folder))
    outcome = _outcome(ask)
    assert ask("SELECT what FROM log ORDER BY n") == [("001",), ("002 8MB",), ("002 8MB",)]
    assert ask("SELECT count(*) FROM users") == [(50,)]
    assert outcome["indexes"] == [("users_pkey", True), ("idx_users_id", True)]
    assert outcome["history"] == [(version, "up", True, True) for version in (1, 2, 3)]


@pytest.mark.parametrize(("keyword", "at"), _boundaries("down"))
def test_a_rollback_killed_at_any_statement_boundary_ends_as_if_never_killed(
    write: Write,
    target: Target,
    ask: Ask,
    session: Session,
    *,
    keyword: str,
    at: int,
) -> None:
    folder = write(**{**FILES, keyword: _gated(FILES[keyword], at)})
    up(target, find_migrations(folder))
    session.execute("SELECT pg_advisory_lock(%s)", (GATE,))
    victim = _start(target, folder, "down")
    _until(lambda: _waiting_query(session), victim)
    _kill(victim)
    session.execute("SELECT pg_advisory_unlock(%s)", (GATE,))

    down(target, find_migrations(folder), to=0)
    outcome = _outcome(ask)
    assert [name for name, kind in outcome["relations"] if kind == "r"] == ["schema_migrations"]
    assert outcome["history"] == []


@pytest.mark.parametrize("end_old_transaction_first", [True, False])
def test_a_run_killed_while_the_server_builds_an_index_leaves_a_valid_one(
    write: Write,
    target: Target,
    ask: Ask,
    session: Session,
    *,
    end_old_transaction_first: bool,
) -> None:
    """The build waits for an old transaction; the server may notice the death before it is done."""
    write(**FILES)
    folder = write(_001_tables=FILES["_001_tables"] + "INSERT INTO users VALUES (99, 'old');")
    up(target, find_migrations(folder), to=1)
    old = connect(target.conninfo, schema=target.schema)
    old.execute("UPDATE users SET name = 'older' WHERE id = 99")
    victim = _start(target, folder, "up")
    _until(lambda: "idx_users_name" in (_waiting_query(session) or ""), victim)
    _kill(victim)
    if end_old_transaction_first:
        old.commit()
        up(target, find_migrations(folder))
    else:
        _until_gone(session)
        old.commit()
        assert ask("SELECT indisvalid FROM pg_index WHERE NOT indisvalid") == [(False,)]
        up(target, find_migrations(folder))
    old.close()
    assert _outcome(ask)["indexes"] == [("users_pkey", True), ("idx_users_id", True)]
    assert ask("SELECT what FROM log ORDER BY n") == [("001",), ("002 8MB",), ("002 8MB",)]


def _until_gone(session: Session) -> None:
    """Wait until the server has ended the statement of the killed runner."""
    deadline = monotonic_seconds() + 30
    while _now(session):
        assert monotonic_seconds() < deadline
        pause(0.05)


def test_an_index_finished_by_the_server_but_not_recorded_is_taken_as_done(
    write: Write,
    target: Target,
    ask: Ask,
    session: Session,
) -> None:
    """Kill between the end of the build and its record: the record waits behind a table lock."""
    folder = write(**FILES)
    up(target, find_migrations(folder), to=1)
    old = connect(target.conninfo, schema=target.schema)
    old.execute("UPDATE users SET name = name")
    old.execute("INSERT INTO users VALUES (99, 'old')")
    victim = _start(target, folder, "up")
    _until(lambda: "idx_users_name" in (_waiting_query(session) or ""), victim)
    session.execute("BEGIN")
    session.execute("LOCK TABLE schema_migrations IN SHARE MODE")
    old.commit()
    _until(lambda: "UPDATE" in _now(old), victim)
    _kill(victim)
    _until_gone(old)
    session.execute("COMMIT")
    old.close()

    before = ask("SELECT oid FROM pg_class WHERE relname = 'idx_users_name'")
    assert ask(
        "SELECT statement_started, statements_done FROM schema_migrations WHERE version = 2"
    ) == [
        (3, 2),
    ]
    gated = write(_002_index=_gated(FILES["_002_index"], 3))
    session.execute("SELECT pg_advisory_lock(%s)", (GATE,))
    victim = _start(target, gated, "up")
    _until(lambda: _waiting_query(session), victim)
    assert ask("SELECT oid FROM pg_class WHERE relname = 'idx_users_name'") == before
    session.execute("SELECT pg_advisory_unlock(%s)", (GATE,))
    assert victim.wait(30) == 0
    victim.communicate()


def _now(session: Session) -> str:
    """Return the waiting query as of this moment; a transaction would see that of its beginning."""
    session.rollback()
    return _waiting_query(session) or ""


def test_the_killer_really_kills() -> None:
    victim = subprocess.Popen(["sleep", "60"], stderr=subprocess.PIPE)
    _kill(victim)
    assert victim.returncode == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        os.kill(victim.pid, 0)
