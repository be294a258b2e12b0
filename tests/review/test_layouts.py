"""Every runner's layout is recognised: order, direction, pairing and transaction mode."""

from pathlib import Path

import pytest

from tradewright.core.errors import ErrorCode, InputError
from tradewright.review.source.layouts import read_folder
from tradewright.review.source.text import Direction, Source, Wrapping

T1 = "CREATE TABLE a (id uuid PRIMARY KEY);\n"
T2 = "CREATE TABLE b (id uuid PRIMARY KEY);\n"
D1 = "DROP TABLE a;\n"


def read(folder: Path, files: dict[str, str]) -> list[Source]:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return read_folder(folder)


def shape(sources: list[Source]) -> list[tuple[str, str, str]]:
    return [(s.label, str(s.direction), " ".join(s.text.split())) for s in sources]


LAYOUTS = {
    "numbered": {"2_b.sql": T2, "1_a.sql": T1, "1_a.down.sql": D1, "10_c.sql": "SELECT 1;"},
    "golang-migrate": {"1_a.up.sql": T1, "1_a.down.sql": D1, "2_b.up.sql": T2},
    "underscores": {"1_a_up.sql": T1, "1_a_down.sql": D1, "2_b_up.sql": T2},
    "postgrator": {"1_a.do.sql": T1, "1_a.undo.sql": D1, "2_b.do.sql": T2},
    "yoyo": {"1_a.sql": T1, "1_a.rollback.sql": D1, "2_b.sql": T2},
    "folders": {"1_a/up.sql": T1, "1_a/down.sql": D1, "2_b/up.sql": T2},
    "prisma": {"1_a/migration.sql": T1, "2_b/migration.sql": T2},
    "flyway": {"V2__b.sql": T2, "V1__a.sql": T1, "U1__a.sql": D1, "R__v.sql": "SELECT 1;"},
    "dbmate": {"1_a.sql": f"-- migrate:up\n{T1}-- migrate:down\n{D1}", "2_b.sql": T2},
    "goose": {"1_a.sql": f"-- +goose Up\n{T1}-- +goose Down\n{D1}", "2_b.sql": T2},
    "sql-migrate": {"1_a.sql": f"-- +migrate Up\n{T1}-- +migrate Down\n{D1}", "2_b.sql": T2},
    "node-pg-migrate": {
        "1_a.sql": f"-- Up Migration\n{T1}-- Down Migration\n{D1}",
        "2_b.sql": T2,
    },
    "tern": {"1_a.sql": f"{T1}---- create above / drop below ----\n{D1}", "2_b.sql": T2},
    "liquibase": {
        "1_a.sql": f"--liquibase formatted sql\n--changeset me:1\n{T1}--rollback {D1}",
        "2_b.sql": T2,
    },
    "sqitch": {
        "sqitch.plan": "%project=x\n\nfirst 2026-01-01 me <m@x> # a\nabove 2026-01-02 me\n",
        "deploy/first.sql": T1,
        "revert/first.sql": D1,
        "deploy/above.sql": T2,
        "verify/first.sql": "SELECT 1;",
    },
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_each_layout_is_read_in_its_runners_order(name: str, tmp_path: Path) -> None:
    sources = read(tmp_path, LAYOUTS[name])
    ups = [s for s in sources if s.direction is Direction.UP]
    assert "TABLE a" in ups[0].text
    assert "DROP" not in ups[0].text.replace("--rollback DROP", "")
    assert "TABLE b" in ups[1].text
    downs = [s for s in sources if s.direction is Direction.DOWN]
    if name != "prisma":
        assert [s.text.strip().endswith("DROP TABLE a;") for s in downs] == [True]
        assert "CREATE" not in downs[0].text
        assert ups[0].has_down
        assert not ups[1].has_down


DIRECTIVES = (
    "-- tradewright: no-transaction",
    "-- +goose NO TRANSACTION",
    "-- migrate:up transaction:false",
    "-- +migrate Up notransaction",
    "---- tern: disable-tx ----",
    "-- transactional: false",
    "--! no-transaction",
    "-- no-transaction",
    "-- atlas:txmode none",
    "--liquibase formatted sql\n--changeset me:1 runInTransaction:false",
)


@pytest.mark.parametrize("directive", DIRECTIVES)
def test_each_runners_way_out_of_the_transaction_is_known(directive: str, tmp_path: Path) -> None:
    sources = read(tmp_path, {"001_a.sql": f"{directive}\n{T1}"})
    assert sources[0].wrapping is Wrapping.BARE


def test_flyways_script_configuration_is_read(tmp_path: Path) -> None:
    files = {"V1__a.sql": T1, "V1__a.sql.conf": "executeInTransaction = false\n"}
    assert read(tmp_path, files)[0].wrapping is Wrapping.BARE


def test_prisma_goes_by_whole_names(tmp_path: Path) -> None:
    files = {"20260108_b/migration.sql": T2, "20250326162113_a/migration.sql": T1}
    assert [s.label[-1] for s in read(tmp_path, files)] == ["a", "b"]


def test_a_number_inside_a_word_is_no_version(tmp_path: Path) -> None:
    sources = read(tmp_path, {"clear_e2e_keys.sql": T1, "add_oauth1.sql": T2, "9_c.sql": T1})
    assert [s.version for s in sources] == [(0, 9, "_c"), (1, "add_oauth1"), (1, "clear_e2e_keys")]


def test_a_number_behind_words_orders_files_of_the_same_words(tmp_path: Path) -> None:
    names = ["house.0.10.1.sql", "house.0.9.2.sql", "house.0.9.sql"]
    ordered = [Path(s.path).name for s in read(tmp_path, dict.fromkeys(names, T1))]
    assert ordered == ["house.0.9.sql", "house.0.9.2.sql", "house.0.10.1.sql"]


@pytest.mark.parametrize(
    "names", [["V1__a.sql", "V1.1__b.sql", "V1.1.1__c.sql"], ["1_a.sql", "1.1_b.sql", "2_c.sql"]]
)
def test_a_version_stands_before_its_own_parts(names: list[str], tmp_path: Path) -> None:
    ordered = [Path(s.path).name for s in read(tmp_path, dict.fromkeys(reversed(names), T1))]
    assert ordered == names


@pytest.mark.parametrize("name", ["1_a.up.sql", "1_a.down.sql", "1_a/migration.sql"])
def test_a_file_that_its_tool_sends_as_it_is_is_one_message(name: str, tmp_path: Path) -> None:
    sources = read(tmp_path, {name: T1, name.replace("down", "up"): T1})
    assert {s.wrapping for s in sources} == {Wrapping.IMPLICIT}


def test_places_in_a_file_of_two_directions_are_places_in_the_file(tmp_path: Path) -> None:
    text = f"-- größe\n-- +goose Up\n{T1}-- +goose Down\n{D1}"
    up, down = read(tmp_path, {"1_a.sql": text})
    assert up.locate(up.data.find(b"CREATE")).line == 3
    assert down.locate(down.data.find(b"DROP")).line == 5
    assert len(up.data) == len(down.data) == len(text.encode())


def test_a_folder_without_sql_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_folder(tmp_path)
    assert caught.value.code is ErrorCode.INPUT_REVIEW_FOLDER_EMPTY
    with pytest.raises(InputError, match="there is no") as caught:
        read_folder(tmp_path / "nowhere")
    assert caught.value.code is ErrorCode.INPUT_REVIEW_FOLDER_EMPTY
