"""What tests of reports share: a report as its head and its rows by column."""

from datetime import datetime
from typing import Any, NamedTuple

from tradewright.compliance import REPORTS, Scope, reported
from tradewright.postgres.connect import Session


class Made(NamedTuple):
    """A report that was made: its facts, and its rows by column."""

    facts: dict[str, Any]
    rows: list[dict[str, Any]]


def make(session: Session, name: str, scope: Scope | None = None) -> Made:
    """Make a report on a database."""
    report = REPORTS[name]
    with reported(session, report, scope or Scope()) as found:
        rows = [dict(zip(report.columns, row, strict=True)) for row in found.rows]
    return Made(dict(found.facts), rows)


def now(session: Session) -> datetime:
    """Return the server's clock."""
    row = session.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    instant: datetime = row[0]
    return instant
