"""The review where programs run it: git hooks, branches, annotations, code scanning."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tradewright.cli.review import command

ROOT = Path(__file__).parents[2]
GOOD = "CREATE TABLE users (id uuid PRIMARY KEY);\n"
BAD = "ALTER TABLE users ADD COLUMN paid_at timestamp;\n"
WHO = ("-c", "user.name=t", "-c", "user.email=t@example.com")


def git(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    line = ["git", "-C", str(folder), *WHO, *words]
    environment = {**os.environ, "PATH": path}
    return subprocess.run(line, capture_output=True, text=True, env=environment, check=False)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "migrations").mkdir()
    add(tmp_path, "001_init.sql", GOOD)
    return tmp_path


def add(repository: Path, name: str, text: str) -> subprocess.CompletedProcess[str]:
    (repository / "migrations" / name).write_text(text, "utf-8")
    git(repository, "add", ".")
    return git(repository, "commit", "-m", name)


def review(*arguments: object) -> str:
    return CliRunner().invoke(command, ["--no-prove", *map(str, arguments)]).output


def test_the_hook_refuses_a_commit_for_what_it_adds(repository: Path) -> None:
    offered = (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")
    entry = re.search(r"^  entry: (.+)$", offered, re.MULTILINE)
    page = (ROOT / "docs" / "how-to" / "review.md").read_text("utf-8")
    arguments = re.search(r"- id: tradewright-review\n +args: \[(.+)\]", page)
    assert entry is not None
    assert arguments is not None
    line = f"{entry[1]} {arguments[1].replace(',', '')} --no-prove"
    hook = repository / ".git" / "hooks" / "pre-commit"
    hook.write_text(f"#!/bin/sh\nexec {line}\n", "utf-8")
    hook.chmod(0o755)

    refused = add(repository, "002_paid.sql", BAD)
    assert refused.returncode != 0
    assert "prefer-timestamp-tz" in refused.stdout + refused.stderr
    taken = add(repository, "002_paid.sql", BAD.replace("timestamp", "timestamptz"))
    assert taken.returncode == 0, taken.stdout + taken.stderr


def test_a_branch_answers_for_its_own_files_alone(repository: Path) -> None:
    git(repository, "switch", "-qc", "branch")
    add(repository, "003_own.sql", BAD.replace("paid_at", "own_at"))
    git(repository, "switch", "-q", "main")
    add(repository, "001_init.sql", GOOD + "-- edited by others\n")
    git(repository, "switch", "-q", "branch")
    told = review("--since", "main", "--json", repository / "migrations")
    rules = {(Path(f["path"]).name, f["rule"]) for f in json.loads(told)["findings"]}
    assert ("003_own.sql", "prefer-timestamp-tz") in rules
    assert {name for name, _ in rules} == {"003_own.sql"}


def test_a_branch_that_numbers_behind_what_is_released_is_told(repository: Path) -> None:
    add(repository, "003_released.sql", "CREATE TABLE released (id uuid PRIMARY KEY);\n")
    git(repository, "switch", "-qc", "late")
    add(repository, "002_late.sql", "CREATE TABLE late (id uuid PRIMARY KEY);\n")
    add(repository, "004_right.sql", "CREATE TABLE right_one (id uuid PRIMARY KEY);\n")
    told = json.loads(review("--since", "main", "--json", repository / "migrations"))["findings"]
    found = [f["message"] for f in told if f["rule"] == "version-out-of-order"]
    assert found == ['new "002_late" comes before "003_released", which is released already']


def test_programs_are_told_paths_from_where_the_command_runs(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(repository, "002 paid, half.sql", BAD)
    monkeypatch.chdir(repository)
    for folder in (repository / "migrations", Path("./migrations")):
        assert "file=migrations/002 paid%2C half.sql,line=1," in review(folder, "--format=github")
        sarif = json.loads(review(folder, "--format", "sarif"))
        place = sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "migrations/002%20paid%2C%20half.sql"
        gitlab = json.loads(review(folder, "--format", "gitlab"))
        assert gitlab[0]["location"]["path"] == "migrations/002 paid, half.sql"


def test_before_the_first_commit_every_file_is_new(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "001_init.sql").write_text(BAD)
    told = json.loads(review("--since", "HEAD", "--json", tmp_path / "migrations"))
    assert "prefer-timestamp-tz" in {f["rule"] for f in told["findings"]}


def test_a_comment_is_marked_short_and_names_nobody(repository: Path) -> None:
    odd = 'ALTER TABLE users ADD COLUMN "a|b<i>@team`_x" timestamp;\n'
    add(repository, "002_odd.sql", odd)
    told = review("--format", "comment", repository / "migrations").splitlines()
    assert told[0] == "<!-- tradewright review -->"
    assert told[1] == "### Migrations: 1 major, 1 info"
    row = next(line for line in told if line.startswith("| 🟠 major | `"))
    assert "002_odd.sql:1`" in row
    assert "a\\|b&lt;i&gt;@\u200bteam'\\_x" in row
    assert row.count(" | ") == 3
    assert "<details><summary>1 for information</summary>" in told


def test_a_comment_keeps_room_for_all_that_it_says(repository: Path) -> None:
    many = (f"ALTER TABLE users ADD COLUMN at_{n} timestamp;" for n in range(900))
    add(repository, "002_many.sql", "\n".join(many))
    told = review("--format", "comment", repository / "migrations")
    assert len(told) < 60_000
    assert re.search(r"and \d+ more", told)


def test_the_steps_of_the_action_are_commands_that_exist(repository: Path) -> None:
    text = (ROOT / "action.yml").read_text("utf-8")
    calls = re.findall(r"tradewright review \"\$FOLDER\" (.+?) \\\n +(--format .+)", text)
    assert len(calls) == 2
    add(repository, "002_paid.sql", BAD)
    for given, rest in calls:
        line = f'tradewright review "$FOLDER" {given} {rest} --no-prove'
        environment = {
            **os.environ,
            "FOLDER": "migrations",
            "SINCE": "HEAD~1",
            "ARGUMENTS": "",
            "LEVEL": "major",
            "RUNNER_TEMP": str(repository),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        done = subprocess.run(
            ["bash", "-c", line], cwd=repository, env=environment, capture_output=True, check=False
        )
        assert done.returncode == (0 if "never" in rest else 1), done.stderr
    assert "prefer-timestamp-tz" in (repository / "review.md").read_text("utf-8")


def test_a_table_of_settings_that_does_not_exist_is_refused(repository: Path) -> None:
    (repository / "tradewright.toml").write_text("[reviw]\nprove = false\n")
    assert "unknown table or key: reviw" in review(repository / "migrations").lower()


def test_a_file_that_is_not_utf_8_is_refused_at_its_byte(repository: Path) -> None:
    (repository / "migrations" / "002_b.sql").write_bytes(
        b"CREATE TABLE b (id uuid PRIMARY KEY);\nCOMMENT ON TABLE b IS 'caf\xe9';\n"
    )
    told = json.loads(review("--json", repository / "migrations"))["findings"]
    found = [(f["severity"], f["line"], f["column"]) for f in told if "UTF-8" in f["message"]]
    assert found == [("critical", 2, 27)]


def test_a_review_that_could_not_prove_says_so(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tradewright.review.service.find_spec", lambda _: None)
    told = CliRunner().invoke(command, [str(repository / "migrations")]).output
    assert "not proven: no scratch server here; pip install 'tradewright[embedded]'" in told
