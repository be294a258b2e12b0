"""The only SQL of the reporting views: their states, their refreshes, their rows."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta

from tradewright.operations.views.model import Asked, Refresh, ViewState
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

REFRESH_TIME_MAX = timedelta(minutes=10)
"""Then a refresh is given up: it would keep old versions of rows from being cleaned away."""


def read_states(connection: Session, name: str | None = None) -> list[ViewState]:
    """Read every view as it stands, or one, by name."""
    cursor = connection.execute(_query("list_states"), {"name": name})
    names = [column.name for column in cursor.description or ()]
    return [ViewState(**dict(zip(names, row, strict=True))) for row in cursor]


def refresh_view(connection: Session, name: str) -> Refresh:
    """Refresh a view in a transaction of its own; a session in autocommit is needed."""
    milliseconds = REFRESH_TIME_MAX // timedelta(milliseconds=1)
    with connection.transaction():
        connection.execute(_query("allow_time"), {"milliseconds": milliseconds})
        row = connection.execute(_query("refresh_view"), {"name": name}).fetchone()
    if row is None:
        raise LookupError(name)
    view, as_of, row_count, took, error_code, error = row
    return Refresh(
        view=view,
        as_of=as_of,
        row_count=row_count,
        took=took,
        error_code=error_code,
        error=error,
    )


def read_rows(
    connection: Session, name: str, asked: Asked, count_max: int
) -> tuple[Sequence[str], list[tuple[object, ...]]]:
    """Read rows of a view, the newest day first, with the names of their columns."""
    cursor = connection.execute(_query(f"show_{name}"), {**asdict(asked), "count_max": count_max})
    return [column.name for column in cursor.description or ()], cursor.fetchall()


def raise_overdue_views(connection: Session) -> int:
    """Tell people of views that are long overdue, end what is told of others; return how many."""
    row = connection.execute(_query("raise_overdue_views")).fetchone()
    return 0 if row is None else int(row[0])


def _query(name: str) -> str:
    return load_queries("tradewright.operations.views")[name]
