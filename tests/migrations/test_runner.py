"""Applying and rolling back on a real server: kept whole, refused beforehand, or resumed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from tradewright.core.errors import ErrorCode, MigrationError
from tradewright.migrate import State, Target, down, find_migrations, plan, status, up
from tradewright.postgres.connect import Session, connect

Write = Callable[..., Path]
Ask = Callable[[str], list[tuple[object, ...]]]

TABLES = {
    "_001_users": "CREATE TABLE users (id int PRIMARY KEY, name text);",
    "_001_users__down": "DROP TABLE users;",
    "_002_orders": "CREATE TABLE orders (id int);\nINSERT INTO orders VALUES (1);",
    "_002_orders__down": "DROP TABLE orders;",
}
CONCURRENT = {
    "_003_index": (
        "SET work_mem = '8MB';\n"
        "INSERT INTO users VALUES (1, 'ann'), (2, 'bob');\n"
        "CREATE UNIQUE INDEX CONCURRENTLY idx_users_name ON users (name);\n"
        "INSERT INTO users VALUES (3, current_setting('work_mem'));\n"
        "VACUUM users;\n"
    ),
    "_003_index__down": "DROP INDEX CONCURRENTLY idx_users_name;\nDELETE FROM users;\n",
}


def _refusal(act: Callable[[], object]) -> MigrationError:
    with pytest.raises(MigrationError) as caught:
        act()
    return caught.value


def test_up_applies_all_in_order_and_a_second_up_applies_nothing(
    write: Write,
    target: Target,
    ask: Ask,
) -> None:
    migrations = find_migrations(write(**TABLES, **CONCURRENT))
    steps = up(target, migrations)
    assert [(each.migration.version, each.transactional) for each in steps] == [
        (1, True),
        (2, True),
        (3, False),
    ]
    assert ask("SELECT * FROM users ORDER BY id")[-1] == (3, "8MB")
    assert up(target, migrations) == []


def test_history_says_what_was_applied_when_and_by_whom(
    write: Write,
    target: Target,
    ask: Ask,
) -> None:
    migrations = find_migrations(write(**TABLES))
    up(target, migrations)
    assert ask(
        "SELECT version, name, checksum, statements_done, applied_by,"
        " applied_at <= finished_at, execution_ms >= 0 FROM schema_migrations ORDER BY version",
    ) == [
        (1, "users", migrations[0].up.checksum, 1, "tradewright", True, True),
        (2, "orders", migrations[1].up.checksum, 2, "tradewright", True, True),
    ]


def test_up_stops_after_the_version_asked_for(write: Write, target: Target) -> None:
    migrations = find_migrations(write(**TABLES))
    assert len(up(target, migrations, to=1)) == 1
    states = [each.state for each in status(target, migrations)]
    assert states == [State.APPLIED, State.PENDING]
    unknown = _refusal(lambda: up(target, migrations, to=7))
    assert unknown.code == ErrorCode.MIGRATION_VERSION_UNKNOWN


def test_down_takes_back_the_last_file_some_files_or_all(
    write: Write,
    target: Target,
    ask: Ask,
) -> None:
    migrations = find_migrations(write(**TABLES, **CONCURRENT))
    up(target, migrations)
    assert [each.migration.version for each in down(target, migrations)] == [3]
    up(target, migrations)
    assert [each.migration.version for each in down(target, migrations, to=1)] == [3, 2]
    up(target, migrations)
    assert [each.migration.version for each in down(target, migrations, count=9)] == [3, 2, 1]
    up(target, migrations)
    assert [each.migration.version for each in down(target, migrations, to=0)] == [3, 2, 1]
    assert ask("SELECT relname FROM pg_class WHERE relnamespace = 'shop'::regnamespace") == [
        ("schema_migrations",),
        ("schema_migrations_version_is_unique",),
    ]


def test_a_failing_statement_rolls_its_file_back_and_is_named_by_line(
    write: Write,
    target: Target,
    ask: Ask,
) -> None:
    folder = write(
        **TABLES,
        _003_bad="CREATE TABLE late (id int);\n\nSELECT 1,\n    no_such_column\nFROM late;",
    )
    refusal = _refusal(lambda: up(target, find_migrations(folder)))
    assert refusal.code == ErrorCode.MIGRATION_FAILED
    assert refusal.facts["line"] == 4
    assert "003_bad.sql" in refusal.what
    assert 'column "no_such_column" does not exist' in refusal.what
    assert ask("SELECT to_regclass('late')") == [(None,)]
    assert ask("SELECT max(version) FROM schema_migrations") == [(2,)]


def test_a_constraint_that_fails_at_commit_loses_the_file_and_its_history(
    write: Write,
    target: Target,
    ask: Ask,
) -> None:
    folder = write(
        _001_a="CREATE TABLE a (id int PRIMARY KEY, up int REFERENCES a DEFERRABLE INITIALLY"
        " DEFERRED);\nINSERT INTO a VALUES (1, 2);",
    )
    refusal = _refusal(lambda: up(target, find_migrations(folder)))
    assert "when it was committed" in refusal.what
    assert ask("SELECT count(*) FROM schema_migrations") == [(0,)]


def test_an_edited_file_stops_everything_and_both_checksums_are_shown(
    write: Write,
    target: Target,
    ask: Ask,
) -> None:
    applied = find_migrations(write(**TABLES))
    up(target, applied)
    edited = find_migrations(
        write(_001_users="CREATE TABLE users (id bigint);", _004_new="SELECT 1;")
    )
    assert status(target, edited)[0].state is State.EDITED
    for act in (lambda: up(target, edited), lambda: plan(target, edited)):
        refusal = _refusal(act)
        assert refusal.code == ErrorCode.MIGRATION_EDITED
        assert "001_users.sql" in refusal.what
        assert applied[0].up.checksum in refusal.why
        assert edited[0].up.checksum in refusal.why
    assert ask("SELECT count(*) FROM schema_migrations") == [(2,)]


def test_an_applied_file_that_is_missing_stops_everything(write: Write, target: Target) -> None:
    folder = write(**TABLES)
    up(target, find_migrations(folder))
    for name in ("001_users.sql", "001_users.down.sql"):
        (folder / name).unlink()
    left = find_migrations(folder)
    assert status(target, left)[0].state is State.FILE_MISSING
    assert _refusal(lambda: up(target, left)).code == ErrorCode.MIGRATION_FILE_MISSING
    assert _refusal(lambda: down(target, left)).code == ErrorCode.MIGRATION_FILE_MISSING


def test_a_late_file_is_refused_unless_asked_for(write: Write, target: Target) -> None:
    folder = write(_001_a="SELECT 1;", _003_c="SELECT 1;")
    up(target, find_migrations(folder))
    late = find_migrations(write(_002_b="SELECT 1;"))
    assert status(target, late)[1].state is State.OUT_OF_ORDER
    assert _refusal(lambda: up(target, late)).code == ErrorCode.MIGRATION_OUT_OF_ORDER
    assert [each.migration.version for each in up(target, late, out_of_order=True)] == [2]


def test_a_missing_way_back_stops_before_anything_is_rolled_back(
    write: Write,
    target: Target,
    ask: Ask,
) -> None:
    folder = write(_001_a="CREATE TABLE a ();", _002_b="CREATE TABLE b ();")
    write(_002_b__down="DROP TABLE b;")
    migrations = find_migrations(folder)
    up(target, migrations)
    refusal = _refusal(lambda: down(target, migrations, count=2))
    assert refusal.code == ErrorCode.MIGRATION_DOWN_MISSING
    assert "001_a.sql" in refusal.what
    assert ask("SELECT to_regclass('b') IS NOT NULL") == [(True,)]


def test_a_syntax_error_in_the_last_file_stops_the_first(
    write: Write,
    target: Target,
    ask: Ask,
) -> None:
    folder = write(_001_a="CREATE TABLE a ();", _002_b="CREATE TABEL b ();")
    refusal = _refusal(lambda: up(target, find_migrations(folder)))
    assert refusal.code == ErrorCode.MIGRATION_SYNTAX_WRONG
    assert ask("SELECT to_regnamespace('shop')") == [(None,)]


def test_status_and_plan_change_nothing(write: Write, target: Target, ask: Ask) -> None:
    migrations = find_migrations(write(**TABLES))
    assert [each.migration.version for each in plan(target, migrations, to=1)] == [1]
    assert {each.state for each in status(target, migrations)} == {State.PENDING}
    assert ask("SELECT to_regnamespace('shop')") == [(None,)]


def test_a_failed_statement_outside_a_transaction_resumes_behind_the_last_good_one(
    write: Write,
    target: Target,
    ask: Ask,
) -> None:
    folder = write(**TABLES, **CONCURRENT)
    broken = CONCURRENT["_003_index"].replace("'bob'", "'ann'")
    write(_003_index=broken)
    refusal = _refusal(lambda: up(target, find_migrations(folder)))
    assert refusal.facts["line"] == 3
    assert refusal.facts["sqlstate"] == "23505"
    assert ask("SELECT indisvalid FROM pg_index WHERE indexrelid = 'idx_users_name'::regclass") == [
        (False,),
    ]
    assert status(target, find_migrations(folder))[2].state is State.UNFINISHED
    assert len(plan(target, find_migrations(folder))[0].statements) == 3

    ask("UPDATE users SET name = 'bob' WHERE id = 2")
    up(target, find_migrations(folder))
    assert ask("SELECT count(*) FROM users") == [(3,)]
    assert ask("SELECT name FROM users WHERE id = 3") == [("8MB",)]
    assert ask("SELECT indisvalid FROM pg_index WHERE indexrelid = 'idx_users_name'::regclass") == [
        (True,),
    ]


def test_a_half_run_file_may_be_corrected_behind_what_ran_but_not_before(
    write: Write,
    target: Target,
    ask: Ask,
) -> None:
    write(**TABLES)
    folder = write(_003_index="SELECT 1;\nCREATE INDEX CONCURRENTLY i ON users (nam);")
    _refusal(lambda: up(target, find_migrations(folder)))

    write(_003_index="SELECT 2;\nCREATE INDEX CONCURRENTLY i ON users (name);")
    assert _refusal(lambda: up(target, find_migrations(folder))).code == ErrorCode.MIGRATION_EDITED
    write(_003_index="-- corrected\nSELECT 1;\nCREATE INDEX CONCURRENTLY i ON users (name);")
    up(target, find_migrations(folder))
    assert {each.state for each in status(target, find_migrations(folder))} == {State.APPLIED}


def test_a_half_run_file_whose_rest_became_ordinary_does_not_begin_anew(
    write: Write,
    target: Target,
    ask: Ask,
) -> None:
    write(**TABLES)
    first = "INSERT INTO users VALUES (1, 'ann');\n"
    folder = write(_003_index=f"{first}CREATE INDEX CONCURRENTLY i ON users (nam);")
    _refusal(lambda: up(target, find_migrations(folder)))
    write(_003_index=f"{first}CREATE INDEX i ON users (name);")
    up(target, find_migrations(folder))
    assert ask("SELECT count(*) FROM users") == [(1,)]
    assert {each.state for each in status(target, find_migrations(folder))} == {State.APPLIED}


def test_a_half_run_way_back_may_not_be_edited_in_what_ran(write: Write, target: Target) -> None:
    write(**TABLES)
    folder = write(_003_index="CREATE INDEX CONCURRENTLY i ON users (name);")
    write(_003_index__down="INSERT INTO users VALUES (1, 'ann');\nDROP INDEX CONCURRENTLY j;")
    up(target, find_migrations(folder))
    _refusal(lambda: down(target, find_migrations(folder)))
    write(_003_index__down="DROP INDEX CONCURRENTLY i;\nSELECT 1;")
    refusal = _refusal(lambda: down(target, find_migrations(folder)))
    assert refusal.code == ErrorCode.MIGRATION_EDITED
    assert "003_index.down.sql" in refusal.what
    write(_003_index__down="INSERT INTO users VALUES (1, 'ann');\nDROP INDEX CONCURRENTLY i;")
    assert len(down(target, find_migrations(folder))) == 1


def test_a_half_run_file_must_be_finished_before_going_the_other_way(
    write: Write,
    target: Target,
) -> None:
    folder = write(**TABLES, _003_index="CREATE INDEX CONCURRENTLY i ON users (nam);")
    write(_003_index__down="DROP INDEX CONCURRENTLY i;")
    _refusal(lambda: up(target, find_migrations(folder)))
    refusal = _refusal(lambda: down(target, find_migrations(folder)))
    assert refusal.code == ErrorCode.MIGRATION_UNFINISHED


def test_an_index_that_someone_else_made_is_not_taken_for_ours(
    write: Write,
    target: Target,
    ask: Ask,
) -> None:
    folder = write(**TABLES)
    up(target, find_migrations(folder))
    ask("CREATE INDEX idx_users_name ON users (id)")
    write(**CONCURRENT)
    for _ in range(2):
        refusal = _refusal(lambda: up(target, find_migrations(folder)))
        assert refusal.facts["sqlstate"] == "42P07"


def test_an_invalid_index_hidden_by_if_not_exists_is_rebuilt(
    write: Write,
    target: Target,
    ask: Ask,
) -> None:
    folder = write(**TABLES)
    up(target, find_migrations(folder))
    ask("INSERT INTO users VALUES (1, 'ann'), (2, 'ann')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        ask("CREATE UNIQUE INDEX CONCURRENTLY i ON users (name)")
    ask("DELETE FROM users")
    write(_003_index="CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON users (name);")
    up(target, find_migrations(folder))
    assert ask("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass") == [(True,)]


def test_what_an_interrupted_rebuild_left_is_dropped_before_the_next(
    write: Write,
    target: Target,
    ask: Ask,
) -> None:
    folder = write(**TABLES)
    up(target, find_migrations(folder))
    ask("INSERT INTO users VALUES (1, 'ann'), (2, 'ann')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        ask("CREATE UNIQUE INDEX CONCURRENTLY i_ccnew ON users (name)")
    write(_003_reindex="REINDEX TABLE CONCURRENTLY users;")
    up(target, find_migrations(folder))
    assert ask("SELECT to_regclass('i_ccnew')") == [(None,)]


PARTITIONED = (
    "CREATE TABLE events (at date NOT NULL) PARTITION BY RANGE (at);\n"
    "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');"
)


def test_a_detach_that_was_cut_short_is_finished(
    write: Write,
    target: Target,
    ask: Ask,
) -> None:
    folder = write(_001_events=PARTITIONED)
    up(target, find_migrations(folder))
    with connect(target.conninfo, schema=target.schema) as reader:
        reader.execute("SELECT count(*) FROM events")
        ask("SET statement_timeout = 200")
        with pytest.raises(psycopg.errors.QueryCanceled):
            ask("ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY")
    assert ask("SELECT inhdetachpending FROM pg_inherits") == [(True,)]
    write(_002_detach="ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY;")
    up(target, find_migrations(folder))
    assert ask("SELECT count(*) FROM pg_inherits") == [(0,)]


def _commit_later(session: Session) -> Thread:
    """Let a session hold what it holds for a while, then commit it."""

    def work() -> None:
        session.execute("SELECT pg_sleep(0.6)")
        session.commit()

    thread = Thread(target=work)
    thread.start()
    return thread


def test_a_file_is_tried_again_until_its_lock_is_free(
    write: Write,
    target: Target,
    session: Session,
) -> None:
    folder = write(**TABLES)
    up(target, find_migrations(folder))
    write(_003_wide="ALTER TABLE users ADD COLUMN age int;")
    session.autocommit = False
    session.execute("SELECT 1 FROM users")
    release = _commit_later(session)
    (step,) = up(replace(target, attempts=20), find_migrations(folder))
    release.join()
    assert step.execution_ms > 200


def test_a_lock_that_is_never_free_is_reported_with_the_tries_made(
    write: Write,
    target: Target,
    session: Session,
) -> None:
    folder = write(**TABLES)
    up(target, find_migrations(folder))
    write(_003_wide="ALTER TABLE users ADD COLUMN age int;")
    session.autocommit = False
    session.execute("SELECT 1 FROM users")
    refusal = _refusal(lambda: up(target, find_migrations(folder)))
    assert refusal.facts["sqlstate"] == "55P03"
    assert "tried 2 times" in refusal.why


def test_a_concurrent_build_outwaits_old_transactions_despite_the_lock_timeout(
    write: Write,
    target: Target,
    session: Session,
    ask: Ask,
) -> None:
    folder = write(**TABLES)
    up(target, find_migrations(folder))
    write(_003_index="CREATE INDEX CONCURRENTLY i ON users (name);\nSHOW lock_timeout;")
    old = connect(target.conninfo, schema=target.schema)
    old.execute("UPDATE users SET name = 'x'")
    release = _commit_later(old)
    up(replace(target, attempts=1), find_migrations(folder))
    release.join()
    old.close()
    assert ask("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass") == [(True,)]


def test_two_runners_apply_each_file_once(write: Write, target: Target, ask: Ask) -> None:
    write(**TABLES)
    folder = write(_003_slow="SELECT pg_sleep(0.3);\nCREATE TABLE slow ();")
    counts: list[int] = []
    runners = [
        Thread(target=lambda: counts.append(len(up(target, find_migrations(folder)))))
        for _ in range(3)
    ]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    assert sorted(counts) == [0, 0, 3]
    assert ask("SELECT count(*) FROM schema_migrations") == [(3,)]


def test_a_runner_that_cannot_get_the_lock_names_its_holder(
    write: Write,
    target: Target,
) -> None:
    folder = write(_001_slow="SELECT pg_sleep(1.5);")
    first = Thread(target=lambda: up(target, find_migrations(folder)))
    first.start()
    while not _locked(target):
        pass
    refusal = _refusal(lambda: up(replace(target, wait_seconds=0.1), find_migrations(folder)))
    first.join()
    assert refusal.code == ErrorCode.MIGRATION_LOCKED
    assert "tradewright migrate, user tradewright" in refusal.why


def _locked(target: Target) -> bool:
    with connect(target.conninfo) as session:
        row = session.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        ).fetchone()
    return row is not None and bool(row[0])


def test_another_schema_of_the_database_has_its_own_history(write: Write, target: Target) -> None:
    migrations = find_migrations(write(**TABLES))
    assert len(up(target, migrations)) == 2
    assert len(up(replace(target, schema='second "shop"'), migrations)) == 2


def test_settings_and_roles_of_one_file_do_not_leak_into_history_or_the_next_file(
    write: Write,
    target: Target,
    ask: Ask,
) -> None:
    folder = write(
        _001_role="SELECT pg_catalog.set_config('search_path', '', false);\nSET ROLE pg_monitor;",
        _002_table="CREATE TABLE here AS SELECT current_user::text AS who;",
    )
    up(target, find_migrations(folder))
    assert ask("SELECT who FROM here") == [("tradewright",)]


def test_a_file_runs_through_a_begin_and_commit_of_its_own(
    write: Write,
    target: Target,
    ask: Ask,
) -> None:
    folder = write(_001_a="BEGIN;\nCREATE TABLE a ();\nSELECT 1 / 0;\nCOMMIT;")
    refusal = _refusal(lambda: up(target, find_migrations(folder)))
    assert refusal.facts["line"] == 3
    assert ask("SELECT to_regclass('shop.a')") == [(None,)]


def test_a_failing_function_body_tells_its_context(write: Write, target: Target) -> None:
    folder = write(
        _001_do="DO $$\nBEGIN\n    RAISE EXCEPTION 'stop' USING DETAIL = 'why', HINT = 'Do so.';\n"
        "END $$;",
    )
    refusal = _refusal(lambda: up(target, find_migrations(folder)))
    assert "why" in refusal.why
    assert "PL/pgSQL function inline_code_block line 3" in refusal.why
    assert refusal.hint == "Do so."
