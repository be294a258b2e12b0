"""Months of the audit log: listed, made ahead, and people told when too few are."""

from datetime import timedelta

import psycopg
import pytest

from tests.cast import open_user, value
from tests.conftest import LogIn
from tests.old_months import months_ago, old_month
from tradewright import operations
from tradewright.core.clock import utc_now
from tradewright.core.errors import ErrorCode
from tradewright.operations import Means, Outcome
from tradewright.operations.archive import store
from tradewright.operations.partitions import list_partitions, make_partitions
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.refusals import translate

ALERTS = "SELECT count(*) FROM alerts WHERE kind = 'audit_months_short' AND resolved_at IS NULL"


def lose_months(session: Session, ahead: int) -> None:
    """Drop the partitions that lie more than so many months ahead."""
    for found in list_partitions(session):
        if found.month > months_ago(-ahead):
            session.execute(f"DROP TABLE audit_log_{found.month:%Y_%m}".encode())


def run_job(engine: Session, conninfo: str, name: str) -> Outcome:
    engine.execute("UPDATE jobs SET next_due_at = now() + interval '1 day'")
    engine.execute("UPDATE jobs SET next_due_at = now() WHERE name = %s", (name,))
    means = Means(source=lambda: connect(conninfo, autocommit=True))
    (report,) = operations.run_due(means)
    return report.outcome


def test_each_month_is_listed_with_its_bounds_rows_and_seals(engine: Session) -> None:
    month, _ = old_month(engine)
    engine.execute("SET timezone = 'Asia/Tokyo'")
    open_user(engine)
    found = {one.month: one for one in list_partitions(engine)}
    old, now = found[month], found[months_ago(0)]
    assert (old.rows, old.unsealed_rows, old.state) == (6, 0, "due")
    assert f"{old.from_at.astimezone(utc_now().tzinfo):%Y-%m-%d %H:%M %z}" == (
        f"{month} 00:00 +0000"
    )
    assert old.to_at - old.from_at >= timedelta(days=28)
    assert old.sealed_up_to is not None
    assert (now.unsealed_rows, now.state) == (1, "online")
    assert found[months_ago(-1)].state == "ahead"
    assert len(found) == 14


def test_making_months_makes_those_that_are_missing(engine: Session) -> None:
    assert make_partitions(engine, 12) == 0
    assert make_partitions(engine, 14) == 2
    assert len(list_partitions(engine)) == 15


@pytest.mark.parametrize(("ahead", "alerts"), [(0, 1), (1, 1), (2, 0)])
def test_people_are_told_when_fewer_than_two_months_lie_ahead(
    engine: Session, engine_database: str, ahead: int, alerts: int
) -> None:
    lose_months(engine, ahead)
    assert run_job(engine, engine_database, "seal_audit_log") is Outcome.SUCCEEDED
    assert value(engine, ALERTS) == alerts
    assert run_job(engine, engine_database, "make_audit_partitions") is Outcome.SUCCEEDED
    assert value(engine, ALERTS) == 0


def test_people_are_told_too_when_making_months_fails(
    engine: Session, engine_database: str
) -> None:
    lose_months(engine, 1)
    engine.execute(
        "CREATE OR REPLACE FUNCTION build_audit_month(p_month date) RETURNS text LANGUAGE plpgsql"
        " AS $$ BEGIN RAISE EXCEPTION 'no room'; END $$"
    )
    assert run_job(engine, engine_database, "make_audit_partitions") is Outcome.FAILED
    assert value(engine, ALERTS) == 1


def test_a_gap_in_the_months_ahead_is_told_whatever_lies_behind_it(engine: Session) -> None:
    engine.execute(f"DROP TABLE audit_log_{months_ago(-2):%Y_%m}".encode())
    engine.execute("SELECT tell_audit_months_ahead()")
    assert value(engine, ALERTS) == 1


def test_a_change_in_a_month_that_nobody_made_is_told_with_what_to_do(engine: Session) -> None:
    """Else who opened a user is told to correct a value that is none of theirs."""
    engine.execute(f"DROP TABLE audit_log_{months_ago(0):%Y_%m}".encode())
    with pytest.raises(psycopg.Error) as caught:
        open_user(engine)
    told = translate(caught.value)
    assert told.code is ErrorCode.AUDIT_MONTH_MISSING
    assert "partitions make" in told.hint


def test_an_operator_makes_months_and_archives_none(engine: Session, log_in: LogIn) -> None:
    with connect(log_in("operator"), autocommit=True) as operator:
        assert make_partitions(operator, 13) == 1
        assert len(list_partitions(operator)) == 14
        assert not store.may_archive(operator)
    owner = "SELECT count(DISTINCT relowner) FROM pg_class WHERE relname LIKE 'audit_log%%'"
    assert value(engine, owner) == 1
