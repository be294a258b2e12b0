"""What pages read that no room tells already: rows of a named query, as they stand."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from psycopg import IsolationLevel
from psycopg.rows import dict_row

from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

Row = Mapping[str, Any]


def read(session: Session, query: str, **asked: object) -> list[Row]:
    """Return the rows of a query of the console, each by the names of its columns.

    Numbers within JSON are exact, as they are in columns.
    """
    with session.cursor(row_factory=dict_row) as cursor:
        return list(cursor.execute(load_queries("tradewright.console")[query], asked))


def read_values(session: Session, query: str, **asked: object) -> tuple[Any, ...]:
    """Return the one row of a query."""
    row = session.execute(load_queries("tradewright.console")[query], asked).fetchone()
    return () if row is None else row


def forbid_writing(session: Session, *, forbids: bool) -> None:
    """Let the server refuse whatever a session would write, or let it write."""
    read_values(session, "forbid_writing", value="on" if forbids else "off")


@contextmanager
def of_one_moment(session: Session) -> Iterator[None]:
    """Let all that is read meanwhile be of one moment, and nothing be written."""
    session.isolation_level, session.read_only = IsolationLevel.REPEATABLE_READ, True
    try:
        with session.transaction():
            yield
    finally:
        if not session.closed:
            session.isolation_level, session.read_only = None, None
