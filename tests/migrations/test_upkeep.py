"""New files, baselines, drift and repairs, on a real server."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tradewright.core.errors import ErrorCode, MigrationError
from tradewright.migrate import State, Target, down, find_migrations, status, up
from tradewright.migrate.catalog import Change
from tradewright.migrate.upkeep import RepairKind, baseline, find_drift, new_migration, repair
from tradewright.postgres.connect import connect

Write = Callable[..., Path]
Ask = Callable[[str], list[tuple[object, ...]]]

FILES = {
    "_001_users": "CREATE TABLE users (id int PRIMARY KEY, name text);",
    "_002_events": (
        "CREATE TABLE events (at date NOT NULL, n int) PARTITION BY RANGE (at);\n"
        "CREATE INDEX idx_events_n ON events (n);\n"
        "CREATE TABLE events_1 PARTITION OF events"
        " FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');"
    ),
}


def test_a_new_file_gets_the_next_number_in_the_width_of_the_others(
    write: Write,
    tmp_path: Path,
) -> None:
    first, back = new_migration(tmp_path / "fresh", "init")
    assert (first.name, back.name) == ("001_init.sql", "001_init.down.sql")
    folder = write(_0009_old="SELECT 1;")
    assert new_migration(folder, "add_notes")[0].name == "0010_add_notes.sql"
    assert [each.version for each in find_migrations(folder)] == [9, 10]


@pytest.mark.parametrize("name", ["Add Notes", "../x", "", "9lives"])
def test_a_new_file_needs_a_name_in_snake_case(tmp_path: Path, name: str) -> None:
    with pytest.raises(MigrationError) as caught:
        new_migration(tmp_path, name)
    assert caught.value.code == ErrorCode.MIGRATION_NAME_MALFORMED


def test_a_new_file_is_not_put_into_a_folder_of_another_layout(tmp_path: Path) -> None:
    (tmp_path / "V1__init.sql").write_text("SELECT 1;")
    with pytest.raises(MigrationError) as caught:
        new_migration(tmp_path, "add_notes")
    assert caught.value.code == ErrorCode.MIGRATION_NAME_MALFORMED
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.usefixtures("lent_scratch_server")
def test_a_baseline_records_without_running_and_up_goes_on_from_there(
    write: Write,
    target: Target,
    ask: Ask,
) -> None:
    folder = write(**FILES, _003_more="CREATE TABLE more ();")
    ask("CREATE SCHEMA shop")
    for text in FILES.values():
        ask(text)
    assert baseline(target, find_migrations(folder), 2) == [1, 2]
    assert [each.migration.version for each in up(target, find_migrations(folder))] == [3]


@pytest.mark.usefixtures("lent_scratch_server")
def test_a_schema_that_lacks_what_the_files_make_gets_no_baseline(
    write: Write, target: Target, ask: Ask
) -> None:
    migrations = find_migrations(write(**FILES))
    with pytest.raises(MigrationError) as caught:
        baseline(target, migrations, 2)
    assert caught.value.code == ErrorCode.MIGRATION_OBJECTS_MISSING
    ask("CREATE SCHEMA shop")
    ask(FILES["_001_users"])
    with pytest.raises(MigrationError) as caught:
        baseline(target, migrations, 2)
    assert caught.value.what.startswith("schema 'shop' lacks ")
    assert "column events.at" in caught.value.why
    assert caught.value.hint.startswith("Use migrate up")
    assert ask("SELECT to_regclass('shop.schema_migrations')") == [(None,)]
    assert baseline(target, migrations, 1) == [1]


def test_a_database_with_a_history_gets_no_baseline(write: Write, target: Target) -> None:
    migrations = find_migrations(write(**FILES))
    up(target, migrations, to=1)
    with pytest.raises(MigrationError) as caught:
        baseline(target, migrations, 2)
    assert caught.value.code == ErrorCode.MIGRATION_HISTORY_EXISTS


@pytest.mark.usefixtures("lent_scratch_server")
def test_a_database_that_holds_what_its_files_make_has_no_drift(
    write: Write,
    target: Target,
) -> None:
    folder = write(**FILES)
    up(target, find_migrations(folder))
    write(_003_pending="CREATE TABLE not_yet ();")
    assert find_drift(target, find_migrations(folder)) == []


@pytest.mark.usefixtures("lent_scratch_server")
def test_drift_names_what_was_added_changed_and_lost_by_hand(
    write: Write,
    target: Target,
    ask: Ask,
) -> None:
    migrations = find_migrations(write(**FILES))
    up(target, migrations)
    ask("CREATE INDEX by_hand ON users (name)")
    ask("ALTER TABLE users ALTER name SET NOT NULL")
    ask("DROP INDEX idx_events_n")
    ask("GRANT SELECT ON users TO PUBLIC")
    found = {(each.change, str(each.key)) for each in find_drift(target, migrations)}
    assert found >= {
        (Change.ADDED, "index by_hand"),
        (Change.CHANGED, "column users.name"),
        (Change.CHANGED, "table users"),
        (Change.REMOVED, "index idx_events_n"),
    }


@pytest.mark.usefixtures("lent_scratch_server")
def test_partitions_made_or_detached_since_are_no_drift(
    write: Write,
    target: Target,
    ask: Ask,
) -> None:
    migrations = find_migrations(write(**FILES))
    up(target, migrations)
    ask(
        "CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')"
    )
    ask("DROP TABLE events_1")
    assert find_drift(target, migrations) == []


def test_a_schema_without_a_history_has_no_drift_to_tell(write: Write, target: Target) -> None:
    with pytest.raises(MigrationError) as caught:
        find_drift(target, find_migrations(write(**FILES)))
    assert caught.value.code == ErrorCode.MIGRATION_HISTORY_MISSING


@pytest.mark.usefixtures("lent_scratch_server")
def test_a_wrong_baseline_shows_as_drift(write: Write, target: Target, ask: Ask) -> None:
    migrations = find_migrations(write(**FILES))
    ask("CREATE SCHEMA shop")
    ask("CREATE TABLE users (id bigint PRIMARY KEY, name text)")
    baseline(target, migrations, 1)
    assert "column users.id" in {str(each.key) for each in find_drift(target, migrations)}


def test_repair_accepts_an_edited_file_and_up_runs_again(write: Write, target: Target) -> None:
    folder = write(**FILES)
    up(target, find_migrations(folder))
    write(_001_users=f"-- a comment\n{FILES['_001_users']}\n", _003_new="CREATE TABLE new ();")
    edited = find_migrations(folder)
    looked = repair(target, edited, only_look=True)
    assert [(each.kind, each.subject) for each in looked] == [
        (RepairKind.CHECKSUM_ACCEPTED, "1 users"),
    ]
    assert status(target, edited)[0].state is State.EDITED
    assert repair(target, edited) == looked
    assert len(up(target, edited)) == 1
    assert repair(target, edited) == []


def test_repair_forgets_a_file_that_never_got_to_its_first_statement(
    write: Write,
    target: Target,
) -> None:
    folder = write(**FILES, _003_bad="CREATE INDEX CONCURRENTLY i ON users (no_such);")
    write(_002_events__down="DROP TABLE events;")
    with pytest.raises(MigrationError):
        up(target, find_migrations(folder))
    (found,) = repair(target, find_migrations(folder))
    assert found.kind is RepairKind.EMPTY_START_FORGOTTEN
    assert [each.migration.version for each in down(target, find_migrations(folder))] == [2]


def test_repair_rebuilds_invalid_indexes_and_drops_leftovers(
    write: Write,
    target: Target,
    ask: Ask,
) -> None:
    migrations = find_migrations(write(**FILES))
    up(target, migrations)
    ask("INSERT INTO users VALUES (1, 'ann'), (2, 'ann')")
    for name in ("idx_users_name", '"Odd_ccnew1"'):
        with pytest.raises(psycopg.errors.UniqueViolation):
            ask(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON users (name)")
    ask("DELETE FROM users WHERE id = 2")
    assert [each.kind for each in repair(target, migrations)] == [
        RepairKind.INDEX_LEFTOVER_DROPPED,
        RepairKind.INDEX_REBUILT,
    ]
    assert ask("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
    assert ask("SELECT to_regclass('idx_users_name') IS NOT NULL") == [(True,)]


def test_repair_finishes_an_interrupted_detach(write: Write, target: Target, ask: Ask) -> None:
    migrations = find_migrations(write(**FILES))
    up(target, migrations)
    with connect(target.conninfo, schema=target.schema) as reader:
        reader.execute("SELECT count(*) FROM events")
        ask("SET statement_timeout = 200")
        with pytest.raises(psycopg.errors.QueryCanceled):
            ask("ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY")
    (found,) = repair(target, migrations)
    assert (found.kind, found.subject) == (RepairKind.DETACH_FINISHED, "shop.events_1")
    assert ask("SELECT count(*) FROM pg_inherits WHERE inhrelid = 'events_1'::regclass") == [(0,)]
