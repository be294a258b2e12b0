"""What a person gets wrong on the command line: one error with code and hint, and no change."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.e2e.trading_day import run
from tests.floor import row_counts
from tradewright.postgres.connect import connect

GOOD = "2026-01-13T08:00:00Z,EURUSD,1.16500,1.16506"


@pytest.fixture
def rows(engine_database: str) -> Iterator[str]:
    """Give a migrated database, and hold the counts of all its tables to what they were."""
    with connect(engine_database, autocommit=True) as session:
        before = row_counts(session)
        yield engine_database
        assert row_counts(session) == before


def refused(*words: str) -> dict[str, Any]:
    """Run the command, which must end with 1 and one error in JSON; return the error."""
    ended = run(*words, "--json")
    assert ended.code == 1, ended.out + ended.err
    assert len(ended.out.splitlines()) == 1
    error: dict[str, Any] = ended.json["error"]
    assert error.keys() == {"code", "what", "why", "hint", "facts"}
    assert "Traceback" not in ended.err
    return error


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("2026-01-13T08:00:01Z,EURUSD,1.16500", "it has 3 fields between commas, not 4"),
        ("2026-01-13T08:00:01Z,EURUSD,NaN,1.16506", '"NaN" is not a price'),
        ("2026-01-13T08:00:01Z,EURUSD,-1.165,1.16506", '"-1.165" is not a price'),
        ("2026-01-13T08:00:01Z,EURUSD,1.1650000001,1.17", '"1.1650000001" is not a price'),
        ("yesterday,EURUSD,1.16500,1.16506", '"yesterday" is not a time'),
        ("2026-01-13T08:00:01Z,eur usd,1.16500,1.16506", '"eur usd" is not a symbol'),
    ],
)
def test_a_broken_line_of_a_quote_file_is_named_by_its_number(
    rows: str, tmp_path: Path, line: str, problem: str
) -> None:
    file = tmp_path / "quotes.csv"
    file.write_text(f"timestamp,symbol,bid,ask\n{GOOD}\n{GOOD}\n{line}\n{GOOD}\n")
    error = refused("demo", "--quotes", str(file), "--database", rows)
    assert error["code"] == "QUOTE_LINE_MALFORMED"
    assert f'"{file}" line 4 cannot be read: {problem}' in error["what"]
    assert error["hint"] == "Correct or remove the line; no quote after it was read."
    assert error["facts"]["line"] == "4"


def test_an_error_without_json_goes_to_the_error_stream_in_three_lines(
    rows: str, tmp_path: Path
) -> None:
    ended = run("demo", "--quotes", str(tmp_path / "none.csv"), "--database", rows)
    assert (ended.code, ended.out) == (1, "")
    what, why, hint = ended.err.splitlines()
    assert what.startswith("tradewright: quote file")
    assert what.endswith("[QUOTE_FILE_UNREADABLE]")
    assert why.startswith("  why: ")
    assert hint == (
        "  hint: Give a text file of quotes, plain or gzipped, that this user may read."
    )


def test_a_file_of_unknown_symbols_is_refused(rows: str, tmp_path: Path) -> None:
    file = tmp_path / "quotes.csv"
    file.write_text(f"timestamp,symbol,bid,ask\n{GOOD}\n{GOOD.replace('EURUSD', 'EURXXX')}\n")
    error = refused("demo", "--quotes", str(file), "--database", rows)
    assert error["code"] == "INSTRUMENT_UNKNOWN"
    assert error["what"] == 'unknown instrument "EURXXX"'
    assert error["hint"].startswith("Use quotes of pairs of AUD, ")


def test_an_empty_quote_file_is_refused(rows: str, tmp_path: Path) -> None:
    file = tmp_path / "quotes.csv"
    file.write_text("timestamp,symbol,bid,ask\n")
    error = refused("demo", "--quotes", str(file), "--database", rows)
    assert error["code"] == "QUOTE_FILE_EMPTY"
    assert error["hint"] == "Give a file with at least one quote after its header."


def test_a_wrong_quote_file_leaves_no_trace_and_binds_nobody(tmp_path: Path, rows: str) -> None:
    folder, file = tmp_path / "kept", tmp_path / "quotes.csv"
    file.write_text("nonsense\n")
    error = refused("demo", "--quotes", str(file), "--keep", str(folder))
    assert error["code"] == "QUOTE_LINE_MALFORMED"
    assert not folder.exists()


def test_a_wrong_quote_file_does_not_touch_an_empty_database(database: str, tmp_path: Path) -> None:
    error = refused("demo", "--quotes", str(tmp_path / "none.csv"), "--database", database)
    assert error["code"] == "QUOTE_FILE_UNREADABLE"
    with psycopg.connect(database) as session:
        assert session.execute(
            "SELECT count(*) FROM pg_namespace WHERE nspname = 'tradewright'"
        ).fetchone() == (0,)


@pytest.mark.parametrize(
    "words",
    [
        ("demo", "--orders", "10"),
        ("migrate", "up"),
        ("migrate", "status"),
        ("audit", "laws"),
    ],
)
def test_a_database_that_cannot_be_reached_is_told_without_its_password(
    words: tuple[str, ...],
) -> None:
    url = "postgresql://me:s3cret@127.0.0.1:1/nothing"
    error = refused(*words, "--database", url)
    assert error["code"] == "DATABASE_UNREACHABLE"
    assert "127.0.0.1:1" in error["what"]
    assert error["hint"].startswith("Check that the server runs")
    assert "s3cret" not in str(error)


def test_a_database_url_that_cannot_be_read_is_not_shown() -> None:
    error = refused("demo", "--orders", "10", "--database", "postgresql://me:s3cret@[::1")
    assert error["code"] == "INPUT_DATABASE_URL_MALFORMED"
    assert error["hint"].startswith("Write it as postgresql://")
    assert "s3cret" not in str(error)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("demo", "--orders", "NaN"), "'NaN' is not a valid integer range"),
        (("demo", "--orders", "-5"), "-5 is not in the range 1<=x<=10000000"),
        (("demo", "--traders", "0"), "0 is not in the range 1<=x<=10000"),
        (("demo", "--seed", "1.5"), "'1.5' is not a valid integer"),
        (("trade",), "No such command 'trade'"),
        (("payments", "rate", "BTC", "USD", "-5"), '"-5..." is taken for an option; put -- before'),
        (("migrate", "status", "--schema", "x" * 64), "a name of 1 to 63 bytes"),
        (("payments", "list", "--schema", ""), "a name of 1 to 63 bytes"),
        (("migrate", "up", "--lock-timeout", "9" * 20), "1<=x<=2147483647"),
    ],
)
def test_wrong_usage_ends_with_two_and_says_what_is_allowed(
    words: tuple[str, ...], complaint: str
) -> None:
    ended = run(*words)
    assert ended.code == 2
    assert complaint in ended.err
    assert "--help" in ended.err


def test_an_edited_migrations_folder_is_refused_and_nothing_is_applied(
    database: str, tmp_path: Path
) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "001_init.sql").write_text("CREATE TABLE things (id bigint PRIMARY KEY);\n")
    (folder / "001_init.down.sql").write_text("DROP TABLE things;\n")
    words = ("migrate", "up", "--dir", str(folder), "--database", database, "--schema", "shop")
    assert run(*words).code == 0
    (folder / "001_init.sql").write_text("CREATE TABLE things (id text PRIMARY KEY);\n")
    (folder / "002_more.sql").write_text("CREATE TABLE more (id bigint PRIMARY KEY);\n")
    (folder / "002_more.down.sql").write_text("DROP TABLE more;\n")
    with psycopg.connect(database, autocommit=True) as session:
        before = tables(session)
        error = refused(*words)
        assert tables(session) == before
    assert error["code"] == "MIGRATION_EDITED"
    assert "001" in error["what"]
    assert error["hint"]


def tables(session: "psycopg.Connection[Any]") -> list[tuple[Any, ...]]:
    return session.execute(
        "SELECT relname, relnatts FROM pg_class WHERE relnamespace = 'shop'::regnamespace"
        " ORDER BY relname"
    ).fetchall()


@pytest.mark.parametrize(
    "words",
    [
        ("payments", "list"),
        ("payments", "receive"),
        ("groups", "list"),
        ("jobs", "list"),
        ("audit", "laws"),
        ("ledger", "house"),
        ("routing", "list"),
        ("risk", "alerts"),
        ("engine", "run"),
    ],
)
def test_a_database_without_the_schema_says_so(database: str, words: tuple[str, ...]) -> None:
    error = refused(*words, "--database", database)
    assert error["code"] == "DATABASE_SCHEMA_MISSING"
    assert "tradewright migrate up" in error["hint"]


def test_what_the_system_refuses_is_told_without_a_traceback(rows: str, tmp_path: Path) -> None:
    place = tmp_path / "missing" / "heads"
    error = refused("audit", "export", str(place), "--database", rows)
    assert error["code"] == "SYSTEM_REFUSED"
    assert str(place) in error["what"]


def test_no_day_is_played_among_clients(engine_database: str) -> None:
    with connect(engine_database, autocommit=True) as session:
        session.execute("INSERT INTO users (id, email) VALUES (uuidv7(), 'real@client.example')")
        before = row_counts(session)
        error = refused("demo", "--orders", "10", "--traders", "3", "--database", engine_database)
        assert error["code"] == "DEMO_DATABASE_IN_USE"
        assert row_counts(session) == before


@pytest.mark.parametrize("words", [("payments", "list"), ("migrate", "status"), ("demo",)])
def test_a_database_is_given_in_one_way(tmp_path: Path, words: tuple[str, ...]) -> None:
    place = tmp_path / "new"
    ended = run(*words, "--database", "postgresql://nowhere.invalid/x", "--keep", str(place))
    assert ended.code == 2
    assert "--database URL or --keep FOLDER, not both" in ended.err
    assert not place.exists()


@pytest.mark.parametrize(
    "words",
    [
        ("payments", "list"),
        ("payments", "receive"),
        ("groups", "open", "pro", "--actor", "anna", "--reason", "asked"),
        ("jobs", "run-due"),
        ("engine", "run"),
        ("migrate", "status"),
        ("migrate", "plan"),
        ("migrate", "up", "--dry-run"),
        ("migrate", "baseline", "9"),
    ],
)
def test_what_only_looks_or_changes_makes_no_server(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty"):
        error = refused(*words, "--keep", str(tmp_path / name))
        assert error["code"] == "EMBEDDED_SERVER_MISSING"
        assert f'"{tmp_path / name}"' in error["what"]
        assert "tradewright migrate up --keep" in error["hint"]
    assert not (tmp_path / "new").exists()
    assert list((tmp_path / "empty").iterdir()) == []
