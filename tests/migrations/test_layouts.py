"""Other people's layouts: found without being told, with the right lines and transaction modes."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tradewright.core.errors import ErrorCode, MigrationError
from tradewright.migrate import Migration, State, Target, down, find_migrations, status, up
from tradewright.migrate.statements import Kind
from tradewright.migrate.versions import parse_version, version_text
from tradewright.postgres.connect import connect
from tradewright.review.source.layouts import read_folder as read_for_review


@dataclass(frozen=True)
class Layout:
    """The files of one project, all of which mean the same two migrations."""

    files: dict[str, str]
    lines: list[int]


TABLE, UNDO = "CREATE TABLE t (a int);\n", "DROP TABLE t;\n"
INDEX, DROP = "CREATE INDEX CONCURRENTLY i ON t (a);\n", "DROP INDEX CONCURRENTLY i;\n"

LAYOUTS = {
    "down files": Layout(
        {
            "001_table.sql": TABLE,
            "001_table.down.sql": UNDO,
            "002_index.sql": INDEX,
            "002_index.down.sql": DROP,
        },
        [1, 1, 1, 1],
    ),
    "up and down files": Layout(
        {
            "000001_table.up.sql": TABLE,
            "000001_table.down.sql": UNDO,
            "000002_index.up.sql": INDEX,
            "000002_index.down.sql": DROP,
        },
        [1, 1, 1, 1],
    ),
    "folders": Layout(
        {
            "2024-01-01-000001_table/up.sql": TABLE,
            "2024-01-01-000001_table/down.sql": UNDO,
            "2024-01-01-000002_index/up.sql": INDEX,
            "2024-01-01-000002_index/down.sql": DROP,
        },
        [1, 1, 1, 1],
    ),
    "dbmate": Layout(
        {
            "20240101_table.sql": f"-- migrate:up\n{TABLE}\n-- migrate:down\n{UNDO}",
            "20240102_index.sql": (
                f"-- migrate:up transaction:false\n{INDEX}\n"
                f"-- migrate:down transaction:false\n{DROP}"
            ),
        },
        [2, 5, 2, 5],
    ),
    "goose": Layout(
        {
            "00001_table.sql": (
                f"-- +goose Up\n-- +goose StatementBegin\n{TABLE}-- +goose StatementEnd\n"
                f"-- +goose Down\n{UNDO}"
            ),
            "00002_index.sql": (
                f"-- +goose NO TRANSACTION\n-- +goose Up\n{INDEX}-- +goose Down\n{DROP}"
            ),
        },
        [3, 6, 3, 5],
    ),
    "sql-migrate": Layout(
        {
            "1_table.sql": f"-- +migrate Up\n{TABLE}-- +migrate Down\n{UNDO}",
            "2_index.sql": (
                f"-- +migrate Up notransaction\n{INDEX}-- +migrate Down notransaction\n{DROP}"
            ),
        },
        [2, 4, 2, 4],
    ),
    "tern": Layout(
        {
            "001_table.sql": f"{TABLE}---- create above / drop below ----\n{UNDO}",
            "002_index.sql": (
                f"-- tern: disable-tx\n{INDEX}---- create above / drop below ----\n{DROP}"
            ),
        },
        [1, 3, 2, 4],
    ),
    "flyway with dots": Layout(
        {
            "V1.2__table.sql": TABLE,
            "U1.2__table.sql": UNDO,
            "V1_10__index.sql": INDEX,
            "U1_10__index.sql": DROP,
        },
        [1, 1, 1, 1],
    ),
    "prisma": Layout(
        {
            "migration_lock.toml": "",
            "20240101000000_table/migration.sql": TABLE,
            "20240101000000_table/down.sql": UNDO,
            "20240102000000_index/migration.sql": INDEX,
            "20240102000000_index/down.sql": DROP,
        },
        [1, 1, 1, 1],
    ),
    "yoyo": Layout(
        {
            "20240101_01_a1b2c-table.sql": f"-- the first\n-- depends:\n{TABLE}",
            "20240101_01_a1b2c-table.rollback.sql": UNDO,
            "20240101_02_d4e5f-index.sql": f"-- depends: 20240101_01_a1b2c-table\n{INDEX}",
            "20240101_02_d4e5f-index.rollback.sql": DROP,
        },
        [3, 1, 2, 1],
    ),
    "sqitch": Layout(
        {
            "sqitch.plan": "%syntax-version=1.0.0\n%project=shop\n\n"
            "table 2024-01-01T00:00:00Z Me <me@x> # first\n"
            "index [table] 2024-01-02T00:00:00Z Me <me@x> # second\n",
            "deploy/table.sql": f"-- Deploy shop:table to pg\nBEGIN;\n{TABLE}COMMIT;\n",
            "revert/table.sql": f"-- Revert shop:table from pg\nBEGIN;\n{UNDO}COMMIT;\n",
            "verify/table.sql": "SELECT a FROM t;\n",
            "deploy/index.sql": INDEX,
            "revert/index.sql": DROP,
            "deploy/unplanned.sql": "SELECT nothing;",
        },
        [3, 3, 1, 1],
    ),
    "flyway": Layout(
        {
            "V1__table.sql": TABLE,
            "U1__table.sql": UNDO,
            "V2__index.sql": INDEX,
            "U2__index.sql": DROP,
        },
        [1, 1, 1, 1],
    ),
}


def _written(folder: Path, files: dict[str, str]) -> list[Migration]:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return find_migrations(folder)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_a_layout_is_recognised_and_each_statement_keeps_its_line(
    tmp_path: Path,
    layout: Layout,
) -> None:
    migrations = _written(tmp_path, layout.files)
    assert [each.name.partition("-")[2] or each.name for each in migrations] == ["table", "index"]
    scripts = [script for each in migrations for script in (each.up, each.down)]
    assert [script.statements[0].line for script in scripts if script] == layout.lines
    assert [script.transactional for script in scripts if script] == [True, True, False, False]


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_a_layout_is_applied_and_rolled_back(
    tmp_path: Path,
    layout: Layout,
    target: Target,
) -> None:
    migrations = _written(tmp_path, layout.files)
    assert len(up(target, migrations)) == 2
    assert len(down(target, migrations, to=0)) == 2


def test_a_part_that_wants_no_transaction_runs_each_statement_on_its_own(tmp_path: Path) -> None:
    text = f"-- migrate:up transaction:false\n{TABLE}-- migrate:down\n{UNDO}"
    (migration,) = _written(tmp_path, {"1_a.sql": text})
    assert migration.up.statements[0].kind is Kind.OUTSIDE
    assert migration.down is not None
    assert migration.down.statements[0].kind is Kind.ORDINARY


def test_a_way_back_of_comments_only_is_none(tmp_path: Path) -> None:
    text = f"-- migrate:up\n{TABLE}-- migrate:down\n-- nothing to see here\n"
    (migration,) = _written(tmp_path, {"1_a.sql": text})
    assert migration.down is None


def test_editing_the_way_back_leaves_the_checksum_of_the_way_there(tmp_path: Path) -> None:
    text = f"-- migrate:up\n{TABLE}-- migrate:down\n{UNDO}"
    (before,) = _written(tmp_path, {"1_a.sql": text})
    (after,) = _written(tmp_path, {"1_a.sql": f"{text}SELECT 1;\n"})
    assert before.up.checksum == after.up.checksum


def test_versions_with_dots_stand_between_whole_ones(tmp_path: Path, target: Target) -> None:
    names = ("V2__d", "V1.2__b", "V1.10__c", "V1__a", "V20240101.1__e")
    _written(tmp_path, {f"{name}.sql": "SELECT 1;" for name in names})
    migrations = find_migrations(tmp_path)
    shown = [version_text(each.version) for each in migrations]
    assert shown == ["1", "1.2", "1.10", "2", "20240101.1"]
    up(target, migrations, to=parse_version("1.10"))
    states = {version_text(each.version): each.state for each in status(target, migrations)}
    assert [version for version, state in states.items() if state is State.PENDING] == shown[3:]
    assert [version_text(step.migration.version) for step in up(target, migrations)] == shown[3:]


@pytest.mark.parametrize("text", ["1", "1.2", "1.2.10", "0.0.1", "20240101120000", "7.100000000"])
def test_a_version_is_shown_as_it_was_written(text: str) -> None:
    version = parse_version(text)
    assert version is not None
    assert version_text(version) == text


def test_a_history_from_before_versions_had_dots_is_widened(tmp_path: Path, target: Target) -> None:
    migrations = _written(tmp_path, {"V1__a.sql": "SELECT 1;"})
    up(target, migrations)
    with connect(target.conninfo, schema=target.schema, autocommit=True) as session:
        session.execute("ALTER TABLE schema_migrations ALTER version TYPE bigint")
    up(target, _written(tmp_path, {"V1.1__b.sql": "SELECT 1;"}))
    assert [version_text(each.version) for each in status(target, [])] == ["1", "1.1"]


VIEW = "CREATE OR REPLACE VIEW v AS SELECT {} AS x FROM t;\n"


def test_a_repeatable_file_runs_last_and_again_when_its_text_has_changed(
    tmp_path: Path, target: Target
) -> None:
    files = {
        "R__a_view.sql": VIEW.format(1),
        "V1__t.sql": TABLE,
        "U1__t.sql": "DROP TABLE t CASCADE;",
    }
    migrations = _written(tmp_path, files)
    assert [step.migration.name for step in up(target, migrations)] == ["t", "a_view"]
    assert up(target, migrations) == []
    (tmp_path / "R__a_view.sql").write_text(VIEW.format(2))
    migrations = _written(tmp_path, {"V2__more.sql": "SELECT 1;"})
    assert [each.state for each in status(target, migrations)] == ["applied", "pending", "pending"]
    assert [step.migration.name for step in up(target, migrations)] == ["more", "a_view"]
    with connect(target.conninfo, schema=target.schema) as session:
        assert session.execute("SELECT pg_get_viewdef('v'::regclass)").fetchone() == (
            " SELECT 2 AS x\n   FROM t;",
        )


def test_a_repeatable_file_is_not_taken_back_but_runs_again_after_a_way_back(
    tmp_path: Path, target: Target
) -> None:
    files = {"R__v.sql": VIEW.format(1), "V1__t.sql": TABLE, "U1__t.sql": "DROP TABLE t CASCADE;"}
    migrations = _written(tmp_path, files)
    up(target, migrations)
    assert [step.migration.name for step in down(target, migrations, to=0)] == ["t"]
    assert [step.migration.name for step in up(target, migrations)] == ["t", "v"]
    (tmp_path / "R__v.sql").unlink()
    assert up(target, find_migrations(tmp_path)) == []


def test_flyways_settings_beside_a_script_take_it_out_of_the_transaction(tmp_path: Path) -> None:
    files = {"V1__a.sql": TABLE, "V1__a.sql.conf": "executeInTransaction=false\n"}
    (migration,) = _written(tmp_path, files)
    assert not migration.up.transactional


COMMITTED = {
    "committed/000001.sql": f"--! Previous: -\n--! Hash: sha1:1\n--! Message: table\n\n{TABLE}",
    "committed/000002-index.sql": (
        f"--! Previous: sha1:1\n--! Hash: sha1:2\n--! no-transaction\n\n{INDEX}"
    ),
    "current.sql": "SELECT what_is_being_worked_on;",
}


def test_what_graphile_migrate_has_committed_is_applied_and_has_no_way_back(
    tmp_path: Path, target: Target
) -> None:
    migrations = _written(tmp_path, COMMITTED)
    assert [each.name for each in migrations] == ["table", "index"]
    assert [each.up.transactional for each in migrations] == [True, False]
    assert find_migrations(tmp_path / "committed") == migrations
    assert len(up(target, migrations)) == 2
    with pytest.raises(MigrationError) as caught:
        down(target, migrations)
    assert caught.value.code is ErrorCode.MIGRATION_DOWN_MISSING


def test_a_change_that_sqitch_reworks_runs_twice_with_its_own_text_each_time(
    tmp_path: Path, target: Target
) -> None:
    plan = "%project=x\n\nt 2024-01-01 me\nf 2024-01-01 me\n@v1 2024-01-02 me\nf 2024-01-03 me\n"
    function = "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT {}$$;\n"
    files = {
        "sqitch.plan": plan,
        "deploy/t.sql": TABLE,
        "deploy/f@v1.sql": function.format(1),
        "deploy/f.sql": function.format(2),
        "revert/f.sql": function.format(1),
    }
    migrations = _written(tmp_path, files)
    assert [each.label for each in migrations] == [
        "deploy/t.sql",
        "deploy/f@v1.sql",
        "deploy/f.sql",
    ]
    up(target, migrations)
    with connect(target.conninfo, schema=target.schema) as session:
        assert session.execute("SELECT f()").fetchone() == (2,)
    down(target, migrations)
    with connect(target.conninfo, schema=target.schema) as session:
        assert session.execute("SELECT f()").fetchone() == (1,)


@pytest.mark.parametrize("name", ["1_shut_down", "2_what_we_do", "3_look_up", "4_never_undo"])
def test_a_word_of_direction_at_the_end_of_a_name_is_part_of_the_name(
    tmp_path: Path, name: str
) -> None:
    (migration,) = _written(tmp_path, {f"{name}.sql": TABLE, f"{name}.down.sql": UNDO})
    assert migration.name == name[2:]
    assert [source.direction for source in read_for_review(tmp_path)] == ["up", "down"]


@pytest.mark.parametrize("needed", ["3_missing", "2_later"])
def test_a_dependency_that_is_not_before_is_refused(tmp_path: Path, needed: str) -> None:
    files = {"1_first.sql": f"-- depends: {needed}\n{TABLE}", "2_later.sql": "SELECT 1;"}
    with pytest.raises(MigrationError) as caught:
        _written(tmp_path, files)
    assert caught.value.code is ErrorCode.MIGRATION_DEPENDENCY_UNMET
    assert needed in caught.value.what


@pytest.mark.parametrize(
    "files",
    [
        {"V1__a.sql": "", "R1__views.sql": ""},
        {"V1.1234567890__a.sql": "", "V1__b.sql": ""},
        {"V1__a.sql": "", "2_b.sql": ""},
        {"first.sql": "", "first.rollback.sql": ""},
        {"committed/first.sql": ""},
        {"1_a/up.sql": "", "1_a/sideways.sql": ""},
        {"first/up.sql": ""},
    ],
)
def test_what_a_layout_cannot_hold_is_refused_by_name(
    tmp_path: Path,
    files: dict[str, str],
) -> None:
    with pytest.raises(MigrationError) as caught:
        _written(tmp_path, files)
    assert caught.value.code == ErrorCode.MIGRATION_NAME_MALFORMED


def test_numbers_of_prisma_in_another_order_than_its_names_are_refused(tmp_path: Path) -> None:
    for name in ("20250326162113_table", "20260108_index"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "migration.sql").write_text(TABLE)
    with pytest.raises(MigrationError, match="20260108_index") as caught:
        find_migrations(tmp_path)
    assert caught.value.code == ErrorCode.MIGRATION_NAME_MALFORMED
    assert caught.value.why.startswith("Prisma runs '20250326162113_table' before")
