"""`tradewright archive` and `partitions` as people use them, and the job that archives."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.conftest import LogIn
from tests.db.test_partitions import run_job
from tests.old_months import old_month
from tradewright import operations
from tradewright.cli.main import cli
from tradewright.operations import Means, Outcome
from tradewright.postgres.connect import Session, connect

Run = Callable[..., Result]
SAID = ("--actor", "anna", "--reason", "case 12")


@pytest.fixture
def run(engine_database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setenv("DATABASE_URL", engine_database)
    monkeypatch.setenv("TRADEWRIGHT_ARCHIVE", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "160")
    return lambda *words: CliRunner().invoke(cli, words)


@pytest.fixture
def month(engine: Session) -> str:
    return f"{old_month(engine)[0]:%Y-%m}"


def facts(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_month_is_archived_verified_restored_and_archived_again(run: Run, month: str) -> None:
    assert month in run("archive", "run", "--dry-run").stdout
    assert facts(run("archive", "list", "--json")) == []
    told = run("archive", "run").stdout
    assert f"{month}: recorded\n" in told
    assert f"{month}: its table is dropped from" in told
    run("archive", "set", "--grace-days", "0", *SAID)
    assert run("archive", "run").stdout == f"{month}: dropped\n"
    assert run("archive", "run").stdout == "nothing is to be archived\n"
    assert run("archive", "verify", month).stdout == f"{month} (dropped): 6 rows hold\n"
    back = facts(run("archive", "restore", month, "--until", "2999-01-31", *SAID, "--json"))
    assert (back["state"], back["kept_until"]) == ("restored", "2999-01-31")
    (listed,) = facts(run("archive", "list", "--json"))
    assert (listed["month"], listed["state"]) == (month, "restored")
    (report,) = facts(run("archive", "run", "--month", month, "--json"))
    assert report["steps"][-1] == "dropped"
    states = {one["month"]: one["state"] for one in facts(run("partitions", "list", "--json"))}
    assert states[month] == "dropped"


def test_a_fault_is_named_and_the_command_exits_with_1(
    run: Run, month: str, tmp_path: Path
) -> None:
    run("archive", "run")
    (file,) = tmp_path.glob("*.parquet")
    file.write_bytes(file.read_bytes()[:-8])
    found = run("archive", "verify")
    assert (found.exit_code, f"{file.name} was changed" in found.stdout) == (1, True)
    file.unlink()
    found = run("archive", "verify", "--json")
    assert found.exit_code == 1
    assert json.loads(found.stdout)[0]["faults"] == [f"{file.name} is missing"]


def test_holds_are_set_shown_and_lifted_with_who_and_why(
    run: Run, engine: Session, month: str
) -> None:
    asked = facts(run("archive", "hold", "--from", month, "--to", month, *SAID, "--json"))
    (stands,) = facts(run("archive", "holds", "--json"))
    assert (stands["id"], stands["from_month"]) == (asked["hold"], month)
    assert f"{month}: it is held" in run("archive", "run").stdout
    lifted = ("--actor", "bert", "--reason", "closed")
    assert run("archive", "lift", asked["hold"], *lifted).exit_code == 0
    assert facts(run("archive", "holds", "--json")) == []
    (over,) = facts(run("archive", "holds", "--lifted", "--json"))
    assert (over["actor"], over["lifted_by"], over["lift_reason"]) == ("anna", "bert", "closed")
    again = run("archive", "lift", asked["hold"], *lifted)
    assert "ARCHIVE_HOLD_UNKNOWN" in str(again.exception)
    actors = "SELECT actor, reason FROM audit_log WHERE table_name = 'audit_holds' ORDER BY seq"
    assert engine.execute(actors).fetchall() == [("anna", "case 12"), ("bert", "closed")]


@pytest.mark.parametrize("words", [(), ("--all", "--from", "2023-01")])
def test_a_hold_says_which_months_or_all(run: Run, words: tuple[str, ...]) -> None:
    assert run("archive", "hold", *words, *SAID).exit_code == 2


@pytest.mark.parametrize("text", ["2023-13", "2023", "23-01", "2023-01-01", "x"])
def test_a_month_that_is_none_is_refused(run: Run, text: str) -> None:
    assert "ARCHIVE_MONTH_MALFORMED" in str(run("archive", "verify", text).exception)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("set", "--months-total", "59"), "ARCHIVE_TERMS_MALFORMED"),
        (("set", "--months-online", "0"), "ARCHIVE_TERMS_MALFORMED"),
        (("set", "--months-online", "84"), "ARCHIVE_TERMS_MALFORMED"),
        (("set", "--grace-days", "366"), "ARCHIVE_TERMS_MALFORMED"),
        (("hold", "--from", "2023-02", "--to", "2023-01"), "ARCHIVE_HOLD_MALFORMED"),
    ],
)
def test_terms_out_of_their_range_are_refused_with_their_code(
    engine_database: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: str
) -> None:
    from tradewright.cli.main import main  # noqa: PLC0415

    with pytest.raises(SystemExit) as ended:
        main(["archive", *words, *SAID, "--database", engine_database])
    assert ended.value.code == 1
    assert code in capsys.readouterr().err


def test_purging_asks_first(run: Run, engine: Session, tmp_path: Path) -> None:
    old_month(engine, 90)
    run("archive", "set", "--grace-days", "0", *SAID)
    run("archive", "run")
    assert run("archive", "purge", *SAID).exit_code == 1
    assert len(list(tmp_path.iterdir())) == 2
    assert run("archive", "purge", "--yes", *SAID).stdout.startswith("purged 20")
    assert list(tmp_path.iterdir()) == []
    assert run("archive", "purge", "--yes", *SAID).stdout == "nothing may be purged yet\n"


def test_the_trail_tells_people_how_to_bring_a_month_back(run: Run, engine: Session) -> None:
    month, (user_id, *_) = old_month(engine)
    run("archive", "run")
    shown = run("audit", "show", user_id).stdout
    told = f"changes of {month:%Y-%m} are archived; next: tradewright archive restore {month:%Y-%m}"
    assert told in shown


def reports(engine: Session, conninfo: str, folder: Path | None) -> operations.RunReport:
    engine.execute("UPDATE jobs SET next_due_at = now() + interval '1 day'")
    engine.execute("UPDATE jobs SET next_due_at = now() WHERE name = 'archive_audit_log'")
    means = Means(source=lambda: connect(conninfo, autocommit=True), archive_folder=folder)
    (report,) = operations.run_due(means)
    return report


def test_the_job_archives_into_the_folder_of_its_runner(
    engine: Session, engine_database: str, month: str, tmp_path: Path
) -> None:
    report = reports(engine, engine_database, tmp_path)
    assert (report.outcome, report.done_count) == (Outcome.SUCCEEDED, 1)
    assert str(report.error).startswith(f"{month}: its table is dropped from")
    assert len(list(tmp_path.iterdir())) == 2


def test_the_job_misses_a_folder_only_when_there_is_something_to_archive(
    engine: Session, engine_database: str
) -> None:
    assert run_job(engine, engine_database, "archive_audit_log") is Outcome.SUCCEEDED
    old_month(engine)
    report = reports(engine, engine_database, None)
    assert report.outcome is Outcome.NOT_EQUIPPED
    assert report.error == "a folder to archive months of the audit log to"


def test_the_job_is_left_to_a_runner_that_may_alter_the_audit_log(
    engine: Session, log_in: LogIn, month: str, tmp_path: Path
) -> None:
    report = reports(engine, log_in("operator"), tmp_path)
    assert report.outcome is Outcome.NOT_EQUIPPED
    assert report.error == "the rights of the owner of audit_log"


def test_an_operator_holds_and_sets_terms_and_archives_nothing(
    run: Run, log_in: LogIn, month: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", log_in("operator"))
    assert run("archive", "hold", "--all", *SAID).exit_code == 0
    assert run("archive", "set", "--months-online", "24", *SAID).exit_code == 0
    assert "DATABASE_PERMISSION_DENIED" in str(run("archive", "run").exception)


def test_an_auditor_who_may_only_read_verifies_the_archive(
    run: Run, log_in: LogIn, month: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("archive", "run")
    monkeypatch.setenv("DATABASE_URL", log_in("reader"))
    found = run("archive", "verify")
    assert (found.exit_code, found.stdout) == (0, f"{month} (detached): 6 rows hold\n")


def test_months_are_made_and_listed(run: Run) -> None:
    assert facts(run("partitions", "make", "--months", "13", "--json"))["made"] == 1
    listed = facts(run("partitions", "list", "--json"))
    assert listed[0]["month"] == f"{date.fromisoformat(listed[0]['from_at'][:10]):%Y-%m}"
    assert run("partitions", "make", "--months", "0").exit_code == 2
