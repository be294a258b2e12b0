"""`tradewright views`: what it shows always says as of when it is."""

import csv
import json
import re
from datetime import date, timedelta
from io import StringIO

import pytest
from click.testing import CliRunner, Result

from tests.cast import play
from tests.reporting_days import charge, make_old, play_days, spoil
from tradewright.cli.main import cli
from tradewright.core.errors import ErrorCode, InputError
from tradewright.operations import views
from tradewright.operations.views import VIEWS, Asked
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.retry import SessionSource


@pytest.fixture
def source(engine_database: str) -> SessionSource:
    return lambda: connect(engine_database, autocommit=True)


def run_command(database: str, *words: str) -> Result:
    runner = CliRunner(env={"COLUMNS": "250"})
    return runner.invoke(cli, ["views", *words, "--database", database])


@pytest.mark.parametrize("name", VIEWS)
def test_every_output_says_as_of_when_its_figures_are(
    engine: Session, engine_database: str, source: SessionSource, name: str
) -> None:
    play_days(engine)
    (refresh,) = views.refresh(source, [name])
    assert refresh.as_of is not None
    as_of = f"{refresh.as_of:%Y-%m-%d %H:%M:%S} UTC"
    table = run_command(engine_database, "show", name)
    assert table.stdout.startswith(f"{name} as of {as_of}, 0:00:0")
    told = json.loads(run_command(engine_database, "show", name, "--json").stdout)
    assert (told["as_of"], told["is_overdue"]) == (str(refresh.as_of), False)
    lines = list(
        csv.DictReader(StringIO(run_command(engine_database, "show", name, "--csv").stdout))
    )
    assert lines
    assert {(line["as_of"], line["is_overdue"]) for line in lines} == {(as_of, "false")}
    assert len(told["rows"]) == len(lines) == refresh.row_count
    make_old(engine, name, timedelta(hours=3))
    assert run_command(engine_database, "show", name).stdout.startswith("OVERDUE: ")
    assert json.loads(run_command(engine_database, "show", name, "--json").stdout)["is_overdue"]
    file = csv.DictReader(StringIO(run_command(engine_database, "show", name, "--csv").stdout))
    assert {line["is_overdue"] for line in file} == {"true"}


def test_amounts_are_written_exactly_and_without_what_is_nothing(
    engine: Session, engine_database: str, source: SessionSource
) -> None:
    charge(engine, "12.10")
    views.refresh(source, ["house_result"])
    result = run_command(engine_database, "show", "house_result")
    assert "│ 12.1 " in result.stdout
    assert "nothing in: dealing, hedges, commission," in result.stdout
    (row,) = json.loads(run_command(engine_database, "show", "house_result", "--json").stdout)[
        "rows"
    ]
    assert (row["other_fees"], row["swaps"], row["currency"]) == ("12.1", "0", "USD")


def test_rows_are_asked_for_by_days_and_by_whom(
    engine: Session, engine_database: str, source: SessionSource
) -> None:
    cast = play(engine)
    views.refresh_all(source)
    days = engine.execute("SELECT DISTINCT trading_day::text FROM trading_summary").fetchall()
    ((day,),) = days
    ask = ("show", "trading_summary", "--json", "--account", cast.account_id)
    shown = json.loads(run_command(engine_database, *ask, "--symbol", "EURUSD").stdout)["rows"]
    assert [row["account_id"] for row in shown] == [cast.account_id]
    later = str(date.fromisoformat(day) + timedelta(days=1))
    assert json.loads(run_command(engine_database, *ask, "--from", later).stdout)["rows"] == []
    assert json.loads(run_command(engine_database, *ask, "--to", day).stdout)["rows"] == shown
    user = json.loads(
        run_command(
            engine_database, "show", "trading_summary", "--json", "--user", cast.user_id
        ).stdout
    )["rows"]
    assert len(user) > 1
    short = run_command(engine_database, "show", "trading_summary", "--csv", "--last", "1")
    assert len(short.stdout.splitlines()) == 2
    assert "only the newest 1 rows are shown" in short.stderr


def test_what_a_view_cannot_be_asked_by_is_refused(
    engine_database: str, source: SessionSource
) -> None:
    views.refresh(source, ["house_result"])
    result = run_command(engine_database, "show", "house_result", "--symbol", "EURUSD", "--json")
    assert result.exit_code == 1
    with source() as session, pytest.raises(InputError) as caught:
        views.read_view(session, "house_result", Asked(symbol="EURUSD"), 10)
    assert caught.value.code is ErrorCode.VIEW_FILTER_UNKNOWN


def test_the_commands_refresh_list_and_tell_what_failed(
    engine: Session, engine_database: str
) -> None:
    assert "never filled" in run_command(engine_database, "list").stdout
    result = run_command(engine_database, "refresh")
    assert result.exit_code == 0
    assert len(re.findall(r": \d+ rows? as of .* UTC, in \d+\.\d+ s", result.stdout)) == len(VIEWS)
    spoil(engine, "house_result")
    result = run_command(engine_database, "refresh", "house_result", "payment_summary")
    assert result.exit_code == 1
    assert "house_result: failed: cannot refresh" in result.stdout
    assert "payment_summary: 0 rows as of" in result.stdout
    assert "failed: cannot refresh" in run_command(engine_database, "list").stdout
    listed = json.loads(run_command(engine_database, "list", "--json").stdout)
    assert {row["name"] for row in listed} == set(VIEWS)
    assert all(row["is_filled"] and row["age_seconds"] < 60 for row in listed)
