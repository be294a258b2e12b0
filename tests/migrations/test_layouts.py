"""Other people's layouts: found without being told, with the right lines and transaction modes."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tradewright.core.errors import ErrorCode, MigrationError
from tradewright.migrate import Migration, Target, down, find_migrations, up
from tradewright.migrate.statements import Kind


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
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return find_migrations(folder)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_a_layout_is_recognised_and_each_statement_keeps_its_line(
    tmp_path: Path,
    layout: Layout,
) -> None:
    migrations = _written(tmp_path, layout.files)
    assert [each.name for each in migrations] == ["table", "index"]
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


@pytest.mark.parametrize(
    "files",
    [
        {"V1__a.sql": "", "R__views.sql": ""},
        {"V1.2__a.sql": "", "V1__b.sql": ""},
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
