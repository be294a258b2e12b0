"""`tradewright migrate` as a user meets it: what it prints, in which form, and how it exits."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tradewright.cli.main import main
from tradewright.migrate.store import Store
from tradewright.postgres import session_locks
from tradewright.postgres.connect import connect
from tradewright.postgres.embedded import EmbeddedServer

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write two migrations, the second without a way back."""
    made = tmp_path / "db"
    made.mkdir()
    (made / "001_users.sql").write_text("CREATE TABLE users (id int, name text);\n")
    (made / "001_users.down.sql").write_text("DROP TABLE users;\n")
    (made / "002_index.sql").write_text(
        "CREATE INDEX CONCURRENTLY idx_users_name ON users (name);\n",
    )
    return made


@pytest.fixture
def run(
    database: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Run one subcommand on the folder and an empty database; return its exit code and output."""
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("COLUMNS", "160")

    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["migrate", *words, "--dir", str(folder)])
        shown = capsys.readouterr()
        return int(ended.value.code or 0), shown.out, shown.err

    return run


def test_up_prints_one_line_per_file_and_then_has_nothing_to_do(run: Run) -> None:
    code, out, _ = run("up")
    assert code == 0
    assert "applied 001_users.sql: 1 statement, one transaction, " in out
    assert "applied 002_index.sql: 1 statement, statement by statement, " in out
    assert run("up") == (0, "Nothing to apply: the database is up to date.\n", "")


def test_up_prints_json(run: Run) -> None:
    code, out, _ = run("up", "--to", "1", "--json")
    assert code == 0
    (file,) = json.loads(out)["files"]
    assert (file["version"], file["direction"], file["statements"]) == (1, "up", 1)


def test_status_shows_each_version_as_a_table_and_as_json(run: Run) -> None:
    run("up", "--to", "1")
    _, table, _ = run("status")
    assert [word in table for word in ("users", "applied", "index", "pending")] == [True] * 4
    _, out, _ = run("status", "--json")
    states = [(each["version"], each["state"]) for each in json.loads(out)["migrations"]]
    assert states == [(1, "applied"), (2, "pending")]


def test_a_status_check_fails_until_every_version_is_applied(run: Run) -> None:
    run("up", "--to", "1")
    assert run("status", "--check")[0] == 1
    run("up")
    assert run("status", "--check")[0] == 0


def test_a_runner_in_the_way_is_waited_for_no_longer_than_asked(run: Run, database: str) -> None:
    with connect(database, autocommit=True) as other:
        assert session_locks.try_lock(other, Store("tradewright").session_lock("run")) is not None
        code, _, err = run("up", "--wait", "0")
        holder = other.info.backend_pid
    assert code == 1
    assert "[MIGRATION_LOCKED]" in err
    assert f"process {holder} (tradewright, user tradewright" in err


def test_plan_shows_statements_with_their_lines(run: Run) -> None:
    code, out, _ = run("plan")
    assert code == 0
    assert "001_users.sql: 1 statement, one transaction" in out
    assert "on its own" in out
    _, out, _ = run("plan", "--json")
    assert json.loads(out)["files"][1]["statements"][0]["kind"] == "index build"


def test_a_plan_in_a_pipe_is_as_wide_as_its_statements(run: Run) -> None:
    _, out, _ = run("plan")
    assert max(map(len, out.splitlines())) < 160


def test_a_dry_run_shows_effects_and_changes_nothing(run: Run, folder: Path) -> None:
    run("up", "--to", "1")
    (folder / "002_index.sql").write_text("ALTER TABLE users ALTER id TYPE bigint;\n")
    code, out, _ = run("up", "--dry-run")
    assert code == 0
    assert "blocks reads and writes of tradewright.users" in out
    assert "rewrites tradewright.users" in out
    assert "was not changed" in out
    _, out, _ = run("plan", "--shadow", "--json")
    (file,) = json.loads(out)["files"]
    assert file["statements"][0]["rewritten"] == ["tradewright.users"]
    _, out, _ = run("status", "--json")
    assert json.loads(out)["migrations"][1]["state"] == "pending"


def test_a_missing_way_back_is_refused_with_exit_1_and_nothing_is_rolled_back(run: Run) -> None:
    run("up")
    code, _, err = run("down", "2")
    assert code == 1
    assert "[MIGRATION_DOWN_MISSING]" in err
    assert "hint: Write the down file" in err
    _, out, _ = run("status", "--json")
    assert {each["state"] for each in json.loads(out)["migrations"]} == {"applied"}


def test_a_failure_is_one_json_object_when_json_was_asked_for(run: Run, folder: Path) -> None:
    (folder / "002_index.sql").write_text("\nSELECT no_such;\n")
    code, out, _ = run("up", "--json")
    assert code == 1
    error = json.loads(out)["error"]
    assert error["code"] == "MIGRATION_FAILED"
    assert error["facts"]["line"] == "2"


def test_down_takes_a_count_or_a_version_and_not_both(run: Run) -> None:
    run("up", "--to", "1")
    code, _, err = run("down", "1", "--to", "0")
    assert (code, "Give COUNT or --to, not both." in err) == (2, True)
    assert json.loads(run("status", "--json")[1])["migrations"][0]["state"] == "applied"
    assert run("down", "--to", "0")[0] == 0


def test_drift_exits_1_and_names_what_differs(run: Run, folder: Path) -> None:
    run("up")
    assert run("drift")[0] == 0
    (folder / "001_users.sql").write_text("CREATE TABLE users (id bigint, name text);\n")
    run("repair")
    code, out, _ = run("drift")
    assert code == 1
    assert "changed column users.id\n    - type: bigint\n    + type: integer" in out


def test_a_baseline_says_what_to_do_next(run: Run, database: str, folder: Path) -> None:
    with connect(database, autocommit=True) as session:
        session.execute("CREATE SCHEMA tradewright")
        session.execute((folder / "001_users.sql").read_bytes())
    code, out, _ = run("baseline", "1")
    assert (code, out.splitlines()[0]) == (0, "recorded as applied: 1")
    assert "migrate drift" in out


def test_new_prints_the_two_files_that_it_made(run: Run, folder: Path) -> None:
    code, out, _ = run("new", "add_notes")
    assert code == 0
    assert [Path(line).name for line in out.splitlines()] == [
        "003_add_notes.sql",
        "003_add_notes.down.sql",
    ]
    assert all(Path(line).exists() for line in out.splitlines())


def test_without_a_database_it_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(SystemExit) as ended:
        main(["migrate", "up"])
    assert ended.value.code == 2
    assert "--database URL" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["up"],
        ["down"],
        ["status"],
        ["plan"],
        ["new"],
        ["baseline"],
        ["drift"],
        ["repair"],
    ],
)
def test_every_help_ends_with_an_example(
    words: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["migrate", *words, "--help"])
    assert ended.value.code == 0
    assert (
        f"tradewright migrate {' '.join(words)}".strip()
        in capsys.readouterr().out.split("Example:")[1]
    )


def test_an_embedded_server_keeps_its_data_in_the_folder_asked_for(
    tmp_path: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nowhere.invalid/x")
    words = ["--keep", str(tmp_path / "kept"), "--dir", str(folder), "--json"]
    try:
        for subcommand in ("up", "status"):
            with pytest.raises(SystemExit) as ended:
                main(["migrate", subcommand, *words])
            assert ended.value.code == 0
    finally:
        EmbeddedServer(tmp_path / "kept").remove()
    assert '"pending"' not in capsys.readouterr().out
