"""Reporting views are refreshed beside their readers, recorded, and say how old they are."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import psycopg
import pytest
from psycopg import IsolationLevel

from tests.cast import play, value
from tests.conftest import OpenSession
from tests.db.sessions import at_once
from tests.reporting_days import charge, make_old, spoil
from tests.style.house import ROOT
from tradewright import operations
from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.operations import Means, Outcome, RunReport, views
from tradewright.operations.jobs import JOBS
from tradewright.operations.views import VIEWS, Asked, Refresh, Shown, store
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.refusals import translate
from tradewright.postgres.retry import SessionSource


@pytest.fixture
def source(engine_database: str) -> SessionSource:
    return lambda: connect(engine_database, autocommit=True)


def read(session: Session, name: str = "house_result") -> Shown:
    return views.read_view(session, name, Asked(), 1000)


def run_job(session: Session, source: SessionSource, name: str) -> RunReport:
    session.execute(
        "UPDATE jobs SET next_due_at = clock_timestamp()"
        " + CASE name WHEN %s THEN '-1 second' ELSE '1 day' END::interval",
        (name,),
    )
    (report,) = operations.run_due(Means(source=source), [JOBS[name]])
    return report


def test_the_catalogue_the_table_and_the_database_name_the_same_views(engine: Session) -> None:
    made = engine.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'm'"
        " AND relnamespace = current_schema()::regnamespace ORDER BY 1"
    ).fetchall()
    listed = engine.execute("SELECT name FROM reporting_views ORDER BY 1").fetchall()
    assert [(name,) for name in sorted(VIEWS)] == made == listed


def test_every_view_says_its_grain_and_tells_its_rows_apart_by_plain_columns(
    engine: Session,
) -> None:
    """Which is what REFRESH CONCURRENTLY asks for."""
    for name in VIEWS:
        comment = value(engine, "SELECT obj_description(%s::text::regclass, 'pg_class')", name)
        assert str(comment).startswith("Grain: one "), name
        count = value(
            engine,
            "SELECT count(*) FROM pg_index WHERE indisunique AND indpred IS NULL"
            " AND indexprs IS NULL AND indrelid = %s::text::regclass",
            name,
        )
        assert count == 1, name


def test_no_view_counts_in_floats(engine: Session) -> None:
    floats = engine.execute(
        "SELECT a.attrelid::regclass::text, a.attname FROM pg_attribute AS a"
        " JOIN pg_class AS c ON c.oid = a.attrelid WHERE c.relkind = 'm' AND a.attnum > 0"
        " AND a.atttypid IN ('float4'::regtype, 'float8'::regtype, 'timestamp'::regtype)"
    ).fetchall()
    assert floats == []


def test_the_page_of_views_lists_every_column_of_each(engine: Session) -> None:
    text = (ROOT / "docs" / "reference" / "views.md").read_text(encoding="utf-8")
    for name in VIEWS:
        section = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
        listed = [column for cell in cells for column in re.findall(r"`(\w+)`", cell)]
        made = engine.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::text::regclass AND attnum > 0",
            (name,),
        ).fetchall()
        assert sorted(listed) == sorted(row[0] for row in made), name


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_that_was_never_filled_is_refused_and_not_shown_as_empty(
    engine: Session, name: str
) -> None:
    with pytest.raises(StateError) as caught:
        read(engine, name)
    assert caught.value.code is ErrorCode.VIEW_NOT_FILLED
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        engine.execute(f"SELECT * FROM {name}".encode())


def test_figures_stay_as_of_their_refresh_until_the_next_one(
    engine: Session, source: SessionSource
) -> None:
    charge(engine, "1.07")
    (first,) = views.refresh(source, ["house_result"])
    charge(engine, "0.03")
    charged_at = value(engine, "SELECT clock_timestamp()")
    shown = read(engine)
    assert shown.state.as_of == first.as_of
    assert isinstance(charged_at, datetime)
    assert first.as_of is not None
    assert first.as_of < charged_at
    assert [row[shown.columns.index("result")] for row in shown.rows] == [Decimal("1.07")]
    views.refresh(source, ["house_result"])
    shown = read(engine)
    assert [row[shown.columns.index("result")] for row in shown.rows] == [Decimal("1.10")]
    assert shown.state.as_of is not None
    assert shown.state.as_of > charged_at


def test_readers_go_on_while_a_view_is_refreshed(
    engine: Session, open_session: OpenSession, source: SessionSource
) -> None:
    """A reader in a transaction keeps the rows that it has seen, and holds up nobody."""
    views.refresh(source, ["house_result"])
    reader = open_session()
    reader.isolation_level = IsolationLevel.REPEATABLE_READ
    with reader.transaction():
        assert reader.execute("SELECT count(*) FROM house_result").fetchone() == (0,)
        charge(engine, "1.07")
        (refresh,) = views.refresh(source, ["house_result"])
        assert (refresh.error, refresh.row_count) == (None, 1)
        assert reader.execute("SELECT count(*) FROM house_result").fetchone() == (0,)
    assert reader.execute("SELECT count(*) FROM house_result").fetchone() == (1,)


def test_views_are_listed_while_one_of_them_is_filled_first(
    engine: Session, open_session: OpenSession
) -> None:
    """Who fills it has it alone, and asking for its size would wait for the end of that."""
    filler = open_session()
    engine.execute("SET lock_timeout = '300ms'")
    with filler.transaction():
        filler.execute("SELECT refresh_reporting_view('house_result')")
        states = {state.name: state for state in views.list_views(engine)}
        assert not states["house_result"].is_filled
        assert views.raise_overdue(engine) == 0


def test_whoever_waited_while_another_refreshed_gets_that_refresh(
    engine: Session, open_session: OpenSession
) -> None:
    """Six ask while one has the turn; then one of them refreshes for all."""
    holder = open_session()
    with holder.transaction():
        holder.execute("SELECT take_turn('view/house_result')")

        def release(_: Session) -> Refresh | None:
            for _try in range(200):
                waiting = value(
                    engine,
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                    " AND datname = current_database()",
                )
                if waiting == 6:
                    break
                engine.execute("SELECT pg_sleep(0.05)")
            holder.execute("COMMIT")
            return None

        works: list[Callable[[Session], Refresh | None]] = [release]
        works += [lambda session: store.refresh_view(session, "house_result")] * 6
        results = at_once(open_session, works)[1:]
        holder.execute("BEGIN")
    assert len({result.as_of for result in results if isinstance(result, Refresh)}) == 1
    assert value(engine, "SELECT count(*) FROM view_refreshes") == 1


def test_one_view_that_fails_keeps_none_of_the_others_from_its_turn(
    engine: Session, source: SessionSource
) -> None:
    charge(engine, "1.07")
    views.refresh_all(source)
    before = read(engine)
    charge(engine, "0.03")
    spoil(engine, "house_result")
    report = run_job(engine, source, "refresh_reporting_views")
    assert (report.outcome, report.done_count) == (Outcome.SUCCEEDED, len(VIEWS) - 1)
    assert str(report.error).startswith("1 left, the first: house_result: cannot refresh")
    after = read(engine)
    assert (after.rows, after.state.as_of) == (before.rows, before.state.as_of)
    assert after.state.error is not None
    assert "concurrently" in after.state.error
    failed = engine.execute(
        "SELECT view_name, error_state, as_of FROM view_refreshes WHERE error IS NOT NULL"
    ).fetchall()
    assert failed == [("house_result", "55000", None)]


def test_when_no_view_could_be_refreshed_the_job_has_failed(
    engine: Session, source: SessionSource
) -> None:
    views.refresh_all(source)
    for name in VIEWS:
        spoil(engine, name)
    report = run_job(engine, source, "refresh_reporting_views")
    assert (report.outcome, report.error_code) == (Outcome.FAILED, "VIEW_REFRESH_FAILED")


def test_a_refresh_that_takes_too_long_is_given_up_recorded_and_leaves_the_view_as_it_was(
    engine: Session,
    open_session: OpenSession,
    source: SessionSource,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    views.refresh(source, ["house_result"])
    before = read(engine).state.as_of
    monkeypatch.setattr(store, "REFRESH_TIME_MAX", timedelta(milliseconds=200))
    blocker = open_session()
    with blocker.transaction():
        blocker.execute("LOCK TABLE transfers IN ACCESS EXCLUSIVE MODE")
        (refresh,) = views.refresh(source, ["house_result"])
    assert refresh.error_code == ErrorCode.VIEW_REFRESH_FAILED
    assert value(engine, "SELECT error_state FROM view_refreshes WHERE as_of IS NULL") == "57014"
    assert read(engine).state.as_of == before


def test_a_refresh_in_an_older_snapshot_is_refused(engine: Session) -> None:
    engine.isolation_level = IsolationLevel.REPEATABLE_READ
    with pytest.raises(psycopg.Error) as caught, engine.transaction():
        engine.execute("SELECT refresh_reporting_view('house_result')")
    assert translate(caught.value).code is ErrorCode.VIEW_TRANSACTION_REFUSED


def test_what_is_no_reporting_view_is_not_refreshed(engine: Session, source: SessionSource) -> None:
    for name in ("law_wallets_are_not_negative", "users; DROP TABLE users", "nothing"):
        with pytest.raises(psycopg.Error) as caught:
            engine.execute("SELECT refresh_reporting_view(%s)", (name,))
        assert translate(caught.value).code is ErrorCode.VIEW_UNKNOWN
        with pytest.raises(InputError) as refused:
            views.refresh(source, ["house_result", name])
        assert refused.value.code is ErrorCode.VIEW_UNKNOWN
    assert value(engine, "SELECT count(*) FROM view_refreshes") == 0


def test_an_operator_refreshes_and_a_reader_reads(
    engine: Session, session_as: Callable[[str], Session]
) -> None:
    operator, reader = session_as("operator"), session_as("reader")
    assert store.refresh_view(operator, "house_result").row_count == 0
    assert read(reader).rows == []
    role = value(engine, "SELECT database_role FROM view_refreshes")
    assert role == value(operator, "SELECT session_user")
    for session in (reader, session_as("app")):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("SELECT refresh_reporting_view('house_result')")
    for session in (reader, operator):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("REFRESH MATERIALIZED VIEW house_result")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(
                "INSERT INTO view_refreshes (view_name, started_at, as_of, row_count)"
                " VALUES ('house_result', now(), now(), 0)"
            )


@pytest.mark.parametrize(
    ("age", "is_overdue", "alerts"),
    [
        (timedelta(minutes=119), False, 0),
        (timedelta(minutes=121), True, 0),
        (timedelta(minutes=241), True, 1),
    ],
)
def test_a_view_is_overdue_after_its_time_and_told_after_twice_that(
    engine: Session, source: SessionSource, age: timedelta, is_overdue: bool, alerts: int
) -> None:
    views.refresh_all(source)
    make_old(engine, "house_result", age)
    overdue = [state.name for state in views.list_views(engine) if state.is_overdue]
    assert overdue == (["house_result"] if is_overdue else [])
    report = run_job(engine, source, "watch_reporting_views")
    assert (report.outcome, report.done_count) == (Outcome.SUCCEEDED, alerts)
    open_alerts = engine.execute(
        "SELECT about FROM alerts WHERE kind = 'view_overdue' AND resolved_at IS NULL"
    ).fetchall()
    assert open_alerts == [("house_result",)] * alerts


def test_the_alert_of_a_view_is_over_when_it_is_refreshed_or_may_be_older(
    engine: Session, source: SessionSource
) -> None:
    engine.execute("UPDATE reporting_views SET age_max = '1 minute'")
    engine.execute("SET session_replication_role = replica")
    engine.execute("UPDATE reporting_views SET created_at = now() - interval '3 minutes'")
    engine.execute("RESET session_replication_role")
    waiting = "SELECT count(*) FROM alerts WHERE kind = 'view_overdue' AND resolved_at IS NULL"
    assert run_job(engine, source, "watch_reporting_views").done_count == len(VIEWS)
    assert value(engine, waiting) == len(VIEWS)
    views.refresh(source, ["house_result"])
    assert value(engine, waiting) == len(VIEWS) - 1
    engine.execute("UPDATE reporting_views SET age_max = '1 hour'")
    assert run_job(engine, source, "watch_reporting_views").done_count == 0
    assert value(engine, waiting) == 0


def test_a_day_of_all_clients_is_read_by_index_and_not_from_the_records(
    engine: Session, source: SessionSource
) -> None:
    """What a view saves: its own query joins and scans the records, the view reads by an index."""
    play(engine)
    views.refresh_all(source)
    engine.execute("SET enable_seqscan = off")
    for name, (day, records) in PLANS.items():
        ask = f"SELECT * FROM {name} WHERE {day} = '2026-03-05'"
        plan = engine.execute(f"EXPLAIN {ask}".encode()).fetchall()
        text = "\n".join(row[0] for row in plan)
        assert re.search(rf"Index Scan .*idx_{name}_", text), text
        assert not re.search(rf"\b({records})\b", text)
        body = value(engine, "SELECT pg_get_viewdef(%s::text::regclass)", name)
        plan = engine.execute(f"EXPLAIN {body}".encode()).fetchall()
        text = "\n".join(row[0] for row in plan)
        assert re.search(rf"Scan .*on ({records})\b", text), text


PLANS = {
    "client_activity": ("trading_day", "orders"),
    "house_result": ("trading_day", "transfers"),
    "payment_summary": ("day", "payment_transactions"),
    "provider_summary": ("trading_day", "provider_requests"),
    "trading_summary": ("trading_day", "trades"),
}
"""View, the column of its days, and the records that its query reads."""
