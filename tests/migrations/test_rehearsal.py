"""A rehearsal on a shadow: what would be locked, scanned and rewritten, and nothing is touched."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tradewright.core.errors import DatabaseError, ErrorCode, MigrationError
from tradewright.migrate import State, Target, find_migrations, status, up
from tradewright.migrate.catalog import compare, take_catalog
from tradewright.migrate.rehearsal import Observation, rehearse
from tradewright.migrate.shadow import shadow_copy
from tradewright.postgres.connect import Session

Write = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("lent_scratch_server")

BASE = {
    "_001_base": (
        "CREATE TABLE users (id int PRIMARY KEY, name text, age int);\n"
        "CREATE TABLE orders (id int PRIMARY KEY, user_id int);\n"
        "INSERT INTO users SELECT n, repeat('x', 500), n FROM generate_series(1, 4000) AS n;\n"
    ),
}


def _rehearse(write: Write, target: Target, text: str) -> list[Observation]:
    folder = write(**BASE)
    up(target, find_migrations(folder))
    write(_002_change=text)
    (file,) = rehearse(target, find_migrations(folder))
    return list(file.observations)


def _locks(observation: Observation) -> set[tuple[str, str]]:
    return {(lock.relation, lock.blocks) for lock in observation.locks}


def test_a_rewrite_is_seen_with_its_lock_and_costs_by_the_size_of_the_real_table(
    write: Write,
    target: Target,
) -> None:
    (seen,) = _rehearse(write, target, "ALTER TABLE users ALTER age TYPE bigint;")
    assert "shop.users" in seen.rewritten
    assert ("shop.users", "reads and writes") in _locks(seen)
    assert seen.estimated_ms >= seen.shadow_ms + 2_000_000 / 50_000_000 * 1000


def test_a_free_change_locks_but_neither_scans_nor_rewrites(write: Write, target: Target) -> None:
    (seen,) = _rehearse(write, target, "ALTER TABLE users ADD note text DEFAULT 'none';")
    assert (seen.rewritten, seen.scanned) == ((), ())
    assert _locks(seen) == {("shop.users", "reads and writes")}


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE users ADD CONSTRAINT users_grown CHECK (age > 0);",
        "ALTER TABLE users ALTER name SET NOT NULL;",
        "CREATE INDEX idx_users_name ON users (name);",
    ],
)
def test_a_scan_is_seen(write: Write, target: Target, statement: str) -> None:
    (seen,) = _rehearse(write, target, statement)
    assert seen.scanned == ("shop.users",)
    assert "writes" in {lock.blocks.rpartition(" ")[2] for lock in seen.locks}


def test_a_foreign_key_blocks_writes_of_both_tables(write: Write, target: Target) -> None:
    text = "ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users;"
    (seen,) = _rehearse(write, target, text)
    assert {("shop.users", "writes"), ("shop.orders", "writes")} <= _locks(seen)


def test_a_concurrent_build_blocks_only_other_schema_changes(write: Write, target: Target) -> None:
    (seen,) = _rehearse(write, target, "CREATE INDEX CONCURRENTLY i ON users (name);")
    assert _locks(seen) == {("shop.users", "other schema changes")}


def test_what_the_same_files_made_does_not_count(write: Write, target: Target) -> None:
    text = "CREATE TABLE new (id int);\nALTER TABLE new ALTER id TYPE text;\nDROP TABLE new;"
    for seen in _rehearse(write, target, text):
        assert (seen.locks, seen.rewritten) == ((), ())


def test_each_statement_tells_only_of_the_locks_that_came_with_it(
    write: Write,
    target: Target,
) -> None:
    text = "ALTER TABLE users ADD a int;\nALTER TABLE orders ADD a int;"
    first, second = _rehearse(write, target, text)
    assert {name for name, _ in _locks(first)} == {"shop.users"}
    assert {name for name, _ in _locks(second)} == {"shop.orders"}


def test_a_rehearsal_changes_nothing_and_fails_where_up_would(
    write: Write,
    target: Target,
    session: Session,
) -> None:
    folder = write(**BASE)
    up(target, find_migrations(folder))
    before = take_catalog(session, "shop")
    write(_002_bad="ALTER TABLE users ADD b int;\nALTER TABLE users ADD name int;")
    with pytest.raises(MigrationError) as caught:
        rehearse(target, find_migrations(folder))
    assert caught.value.facts["line"] == 2
    assert compare(before, take_catalog(session, "shop")) == []
    assert status(target, find_migrations(folder))[1].state is State.PENDING


def test_a_schema_that_the_shadow_cannot_hold_is_reported(
    target: Target,
    session: Session,
) -> None:
    session.execute("CREATE SCHEMA shop")
    session.execute("CREATE TABLE big (id int)")
    session.execute(
        "CREATE FUNCTION broken() RETURNS int LANGUAGE c AS '$libdir/citext', 'citext_eq'",
    )
    session.execute("UPDATE pg_proc SET probin = '/nowhere' WHERE proname = 'broken'")
    with pytest.raises(DatabaseError) as caught, shadow_copy(target, []):
        pass
    assert caught.value.code == ErrorCode.DATABASE_SHADOW_FAILED
    assert "/nowhere" in caught.value.why


def test_rows_that_applied_files_wrote_are_there_for_the_files_that_refer_to_them(
    write: Write,
    target: Target,
    session: Session,
) -> None:
    folder = write(
        _001_currencies="CREATE TABLE currencies (code text PRIMARY KEY,"
        " n int GENERATED ALWAYS AS IDENTITY);\nINSERT INTO currencies VALUES ('EUR'), ('USD');",
    )
    up(target, find_migrations(folder))
    session.execute("INSERT INTO currencies VALUES ('XXX')")
    write(
        _002_limits="CREATE TABLE limits (code text REFERENCES currencies);\n"
        "INSERT INTO limits VALUES ('USD');\n"
        "DO $$ BEGIN ASSERT (SELECT array_agg(code) FROM currencies) = '{EUR,USD}'; END $$;",
    )
    (file,) = rehearse(target, find_migrations(folder))
    assert len(file.observations) == 3
