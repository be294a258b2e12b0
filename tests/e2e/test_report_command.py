"""`tradewright report` as a person or a program calls it: what is printed, written, and refused."""

import csv
import json
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TextIO

import pytest
from click.testing import CliRunner, Result

from tests.floor import Floor, buy, deal
from tradewright.cli.main import cli
from tradewright.compliance import REPORTS, Findings, Report, write_csv
from tradewright.core.errors import DatabaseError, ErrorCode, TradewrightError


@pytest.fixture
def traded(floor: Floor) -> str:
    """Let an account deal a dozen times; return the database's address."""
    account_id = floor.account("100000")
    with floor.engine() as engine:
        for _ in range(12):
            deal(engine, buy(account_id, 1_000))
    return floor.conninfo


def run(database: str, *words: str) -> Result:
    return CliRunner().invoke(cli, ["report", *words, "--database", database])


def test_the_list_needs_no_database_and_tells_every_report() -> None:
    told = CliRunner().invoke(cli, ["report", "list"])
    assert told.exit_code == 0
    for name in REPORTS:
        assert name in told.output
    listed = json.loads(CliRunner().invoke(cli, ["report", "list", "--json"]).output)
    assert [(one["report"], one["columns"]) for one in listed] == [
        (report.name, list(report.columns)) for report in REPORTS.values()
    ]


@pytest.mark.parametrize("name", REPORTS)
def test_each_report_has_its_options_and_an_example_in_its_help(name: str) -> None:
    told = CliRunner().invoke(cli, ["report", name, "--help"])
    assert f"tradewright report {name}" in told.output.partition("Example:")[2]
    for option in REPORTS[name].options:
        assert f"--{option} " in told.output


def test_a_terminal_shows_the_first_rows_and_where_the_rest_is(traded: str) -> None:
    told = run(traded, "order-records")
    assert told.exit_code == 0
    assert told.output.count(" NEWO ") == 10
    assert told.output.count(" FILL ") == 10
    assert told.output.endswith("next: --csv or --json, for all rows and columns\n")


def test_files_hold_all_rows_and_standard_output_nothing(traded: str, tmp_path: Path) -> None:
    by_csv, by_json = tmp_path / "rows.csv", tmp_path / "rows.json"
    for form, path in (("--csv", by_csv), ("--json", by_json)):
        told = run(traded, "order-records", form, "--output", str(path))
        assert (told.exit_code, told.output) == (0, "")
    lines = [line for line in by_csv.read_text().splitlines() if not line.startswith("#")]
    assert len(list(csv.DictReader(lines))) == len(json.loads(by_json.read_text())["rows"]) == 24


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("order-records", "--csv", "--json"), "Give --csv or --json, not both."),
        (("order-records", "--from", "yesterday"), "'yesterday' is no instant"),
        (("order-records", "--provider", "LP-ONE"), "No such option"),
        (("order-records", "--csv", "--output", "/dev/null/x"), "cannot be written"),
        (("nothing",), "No such command"),
    ],
)
def test_wrong_usage_is_told_with_2(traded: str, words: tuple[str, ...], what: str) -> None:
    told = run(traded, *words)
    assert told.exit_code == 2
    assert what in told.output


def test_what_a_report_refuses_is_the_houses_error_and_leaves_no_file(
    traded: str, tmp_path: Path
) -> None:
    path = tmp_path / "never.csv"
    reversed_range = ("--from", "2026-01-14", "--to", "2026-01-13T23:00:00+00:00")
    told = run(traded, "order-records", *reversed_range, "--csv", "--output", str(path))
    assert isinstance(told.exception, TradewrightError)
    assert told.exception.code is ErrorCode.REPORT_RANGE_REVERSED
    assert not path.exists()


def test_a_report_that_breaks_off_leaves_what_was_there(
    traded: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "orders.csv"
    words = ("order-records", "--csv", "--output", str(path))
    assert run(traded, *words).exit_code == 0
    whole = path.read_text()

    def broken(report: Report, found: Findings, to: TextIO) -> int:
        write_csv(report, replace(found, rows=islice(found.rows, 5)), to)
        raise DatabaseError(ErrorCode.DATABASE_UNREACHABLE, "", why="", hint="")

    monkeypatch.setattr("tradewright.cli.report.write_csv", broken)
    assert isinstance(run(traded, *words).exception, DatabaseError)
    assert path.read_text() == whole
    path.unlink()
    run(traded, *words)
    assert list(tmp_path.iterdir()) == []


def test_an_instant_without_a_zone_is_utc(traded: str) -> None:
    for instant in ("2026-01-13T08:00", "2026-01-13T08:00Z", "2026-01-13T09:00+01:00"):
        told = run(traded, "order-records", "--from", instant, "--json")
        assert json.loads(told.output)["facts"]["from"] == "2026-01-13T08:00:00.000000Z"
