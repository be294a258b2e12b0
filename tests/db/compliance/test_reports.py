"""What all reports have in common: one list, one snapshot, exact figures, and what is refused."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest

from tests.cast import play
from tests.compliance import make, now
from tests.conftest import OpenSession
from tests.db.compliance.test_order_records import traded
from tests.floor import Floor, buy, deal, refusal
from tests.style.house import PACKAGE, ROOT
from tradewright import audit
from tradewright.compliance import (
    REPORTS,
    Findings,
    Option,
    Scope,
    reported,
    write_csv,
    write_json,
)
from tradewright.core.errors import ErrorCode
from tradewright.core.ids import new_id_text
from tradewright.ledger import sealing
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.queries import load_queries

PAGES = ROOT / "docs" / "reference" / "reports"
CASES = ROOT / "tests" / "db" / "compliance"
DAY = datetime(2026, 1, 13, tzinfo=UTC)


def test_reports_files_pages_and_case_files_are_the_same_list() -> None:
    files = {path.stem for path in (PACKAGE / "compliance" / "reports").glob("*.py")}
    names = {name.replace("-", "_") for name in REPORTS}
    assert files - {"__init__"} == names
    assert {path.stem for path in PAGES.glob("*.md")} - {"index"} == set(REPORTS)
    cases = {path.stem.removeprefix("test_") for path in CASES.glob("test_*.py")}
    assert cases - {"reports"} == names


def test_the_index_of_pages_lists_each_report_with_its_purpose_rule_and_options() -> None:
    text = (PAGES / "index.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| [`")]
    assert rows == [
        [
            f"[`{report.name}`]({report.name}.md)",
            report.purpose,
            report.law,
            ", ".join(f"`--{option}`" for option in report.options),
        ]
        for report in REPORTS.values()
    ]


def test_columns_that_are_shown_are_columns() -> None:
    for report in REPORTS.values():
        assert set(report.shown) <= set(report.columns)
        assert len(set(report.columns)) == len(report.columns)


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_reads_one_snapshot_and_can_write_nothing(
    name: str, engine: Session, open_session: OpenSession, floor: Floor
) -> None:
    account_id = traded(floor)
    report = REPORTS[name]
    before = make(engine, name, whole(name, account_id))
    with reported(engine, report, whole(name, account_id)) as found:
        with open_session() as beside, floor.engine() as running:
            deal(running, buy(account_id))
            beside.execute("UPDATE jobs SET is_enabled = false")
        rows = [dict(zip(report.columns, row, strict=True)) for row in found.rows]
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            engine.execute("UPDATE jobs SET is_enabled = true")
        engine.execute("ROLLBACK")
    assert len(rows) == len(before.rows)


def whole(name: str, account_id: str) -> Scope:
    return Scope(account_id=account_id) if name == "reconstruction" else Scope()


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_can_be_made_where_there_is_one_of_everything(
    name: str, engine: Session
) -> None:
    cast = play(engine)
    for scope in (whole(name, cast.account_id), whole(name, cast.hedger_id)):
        made = make(engine, name, scope)
        assert made.facts["rows"] == len(made.rows)


@pytest.mark.parametrize("name", REPORTS)
def test_who_may_only_read_can_make_every_report(
    name: str, floor: Floor, session_as: Callable[[str], Session]
) -> None:
    account_id = traded(floor)
    audit.seal(floor.session)
    sealing.seal(floor.session)
    scope = whole(name, account_id)
    with session_as("reader") as reader:
        assert make(reader, name, scope).rows == make(floor.session, name, scope).rows


@pytest.mark.parametrize("name", REPORTS)
def test_the_head_says_as_of_when_how_many_and_under_which_rule(name: str, floor: Floor) -> None:
    account_id = traded(floor)
    began = now(floor.session)
    made = make(floor.session, name, whole(name, account_id))
    assert made.facts["report"] == name
    assert made.facts["law"] == REPORTS[name].law
    assert began <= made.facts["as_of"] <= now(floor.session)
    assert made.facts["rows"] == len(made.rows)
    assert made.facts["audit_seals"] == made.facts["ledger_seals"] == "not sealed yet"
    assert "excluded" in made.facts
    assert set(map(str, REPORTS[name].options)) <= made.facts.keys()


def test_what_was_committed_by_the_instant_of_a_report_is_in_it(floor: Floor) -> None:
    account_id = traded(floor)
    for name, report in REPORTS.items():
        with reported(floor.session, report, whole(name, account_id)) as found:
            began = floor.one("SELECT transaction_timestamp()")
        assert found.facts["as_of"] == began  # the snapshot is taken later, not before


def test_times_are_utc_whatever_the_session_is_set_to(floor: Floor) -> None:
    account_id = traded(floor)
    audit.seal(floor.session)
    sealing.seal(floor.session)
    session = floor.session
    made = {}
    for zone in ("UTC", "Asia/Tokyo"):
        session.execute("SELECT set_config('TimeZone', %s, false)", (zone,))
        made[zone] = [make(session, name, whole(name, account_id)) for name in REPORTS]
        assert floor.one("SHOW TimeZone") == zone
    for one, other in zip(made["UTC"], made["Asia/Tokyo"], strict=True):
        assert one.facts["ledger_seals"] == other.facts["ledger_seals"]
        assert json.dumps(one.rows, default=str) == json.dumps(other.rows, default=str)


@pytest.mark.parametrize("name", ["order_records", "order_record_counts", "reconstruction"])
def test_a_range_of_events_is_found_by_their_index_of_blocks(name: str, engine: Session) -> None:
    end = now(engine)
    asked = {"begin": end - timedelta(hours=1), "end": end} | dict.fromkeys(
        ("account_id", "order_id", "symbol")
    )
    text = load_queries("tradewright.compliance.reports")[name]
    with engine.transaction(force_rollback=True):
        engine.execute("SET LOCAL enable_seqscan = off")
        engine.execute("SET LOCAL enable_nestloop = off")
        plan = engine.execute(f"EXPLAIN {text}".encode(), asked).fetchall()
    assert "idx_order_events_occurred_at_brin" in "\n".join(row[0] for row in plan)


def test_rows_come_through_a_cursor_of_the_server(floor: Floor) -> None:
    traded(floor)
    cursors, kept = "SELECT name FROM pg_cursors WHERE name = 'report'", []
    for name in ("order-records", "reconstruction"):
        end = now(floor.session)
        scope = Scope(begin=end - timedelta(hours=1), end=end)
        with reported(floor.session, REPORTS[name], scope) as found:
            next(found.rows)
            assert floor.rows(cursors) == [("report",)]
            kept.append(found)  # whose rows are not taken to the end
        assert floor.rows(cursors) == []


def test_what_is_asked_for_and_is_not_there_is_refused(engine: Session) -> None:
    cases = {
        ErrorCode.ACCOUNT_UNKNOWN: ("order-records", Scope(account_id=new_id_text())),
        ErrorCode.ORDER_UNKNOWN: ("order-records", Scope(order_id=new_id_text())),
        ErrorCode.INSTRUMENT_UNKNOWN: ("order-records", Scope(symbol="XXXYYY")),
        ErrorCode.REPORT_OPTION_UNKNOWN: ("order-records", Scope(provider="LP-ONE")),
        ErrorCode.REPORT_RANGE_REVERSED: ("order-records", Scope(begin=DAY, end=DAY)),
    }
    for code, (name, scope) in cases.items():
        error = refusal(lambda name=name, scope=scope: make(engine, name, scope))  # type: ignore[misc]
        assert error.code is code
        assert error.hint
    later = Scope(begin=DAY, end=DAY + timedelta(microseconds=1))
    assert make(engine, "order-records", later).rows == []


def test_a_session_is_left_as_it_was_whether_a_report_succeeds_or_not(
    engine_database: str,
) -> None:
    with connect(engine_database) as session:
        refusal(lambda: make(session, "order-records", Scope(order_id=new_id_text())))
        session.execute("UPDATE jobs SET is_enabled = is_enabled")
        session.commit()
        row = session.execute("SHOW transaction_isolation").fetchone()
        assert row == ("read committed",)
        assert session.execute("SHOW transaction_timeout").fetchone() == ("1min",)


def test_csv_and_json_give_the_same_figures_to_the_last_digit(floor: Floor) -> None:
    traded(floor)
    report = REPORTS["order-records"]
    texts = []
    for write in (write_csv, write_json):
        to = io.StringIO()
        with reported(floor.session, report, Scope()) as found:
            count = write(report, found, to)
        texts.append(to.getvalue())
        assert count > 0
        assert count == found.facts["rows"]
    lines = texts[0].splitlines()
    head = [line for line in lines if line.startswith("# ")]
    by_csv = list(csv.DictReader(lines[len(head) :]))
    by_json = json.loads(texts[1], parse_float=reject)
    assert [line.split(": ")[0].removeprefix("# ") for line in head] == list(by_json["facts"])
    for one, other in zip(by_csv, by_json["rows"], strict=True):
        for name, cell in one.items():
            told = other[name]
            assert cell == (
                "" if told is None else told if isinstance(told, str) else json.dumps(told)
            )


def written(row: Sequence[object], *, as_json: bool = False) -> str:
    """Write a report of one row in columns of its own."""
    columns = tuple(f"c{place}" for place in range(len(row)))
    report = replace(REPORTS["order-records"], columns=columns)
    to = io.StringIO()
    found = Findings({"name": "a\nb"}, iter([tuple(row)]))
    assert (write_json if as_json else write_csv)(report, found, to) == 1
    return to.getvalue()


def test_no_cell_of_csv_is_a_formula_and_numbers_stay_numbers() -> None:
    texts = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "'quoted", "plain-", ""]
    numbers = [Decimal("-1.50"), -3, Decimal("1E+3")]
    _, _, row = csv.reader(io.StringIO(written([*texts, *numbers])))
    assert row == [*(f"'{text}" for text in texts[:6]), "plain-", "", "-1.5", "-3", "1000"]
    assert list(json.loads(written(texts, as_json=True))["rows"][0].values()) == texts


def test_a_fact_of_the_head_stays_on_its_line() -> None:
    assert written([]).splitlines()[0] == '# name: "a\\nb"'


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("123456789012345678901234567.12345678", "123456789012345678901234567.12345678"),
        ("-0.00", "0"),
        ("100", "100"),
        ("1E-8", "0.00000001"),
        ("-12.3400", "-12.34"),
    ],
)
def test_an_amount_is_written_with_all_its_digits(amount: str, text: str) -> None:
    assert written([Decimal(amount)]).splitlines()[-1] == text


def reject(text: str) -> Decimal:
    raise AssertionError(f"{text} would be read as a float")


def test_every_option_of_a_report_is_one_that_the_scope_has() -> None:
    scope = Scope(begin=DAY, end=DAY, account_id="a", order_id="o", provider="p", symbol="s")
    assert list(scope.given()) == list(Option)
