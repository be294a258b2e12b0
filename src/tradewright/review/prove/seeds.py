"""Rows for any schema, and what becomes of them: an odd cent must survive an up and its down.

Tables are filled in the order that their foreign keys allow, with values that their checks admit:
a row that a check refuses is offered again with other values in the columns of that check. Guards
in triggers stand aside meanwhile and come back as they were.
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

import psycopg
from psycopg import sql

from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.review.prove.model import ForeignKey, Home
from tradewright.review.prove.orphans import foreign_keys, quoted
from tradewright.review.prove.rows import Column, candidates, columns_of

ROWS_PER_TABLE = 3
_ATTEMPTS = 120
_SEED = 20260118


@dataclass(frozen=True, slots=True, kw_only=True)
class RowTrial:
    """What an up and its down did to rows that stood in the tables before."""

    label: str
    tables: int
    rows: int
    changed: tuple[str, ...] = ()
    untried: str = ""


@dataclass(frozen=True, slots=True)
class Digest:
    """How many rows a table has, and a digest of them that minds no order."""

    rows: int
    digest: str


def seed(session: Session, offered: set[Home] | None = None) -> None:
    """Put a few rows into every table that takes made-up ones.

    Tables in `offered` have had their chance; those that have it now are added to it.
    """
    offered = set() if offered is None else offered
    pending = [home for home in tables_of(session) if home not in offered]
    keys = foreign_keys(session)
    while pending:
        waiting = [home for home in pending if _fill(session, home, keys) is _Filling.WAITS]
        offered.update(home for home in pending if home not in waiting)
        if len(waiting) == len(pending):
            return
        pending = waiting


class _Filling(Enum):
    """How filling a table ended."""

    DONE = "done"
    WAITS = "waits for rows to refer to"
    HOPELESS = "hopeless"


def tables_of(session: Session) -> list[Home]:
    """Return the tables that somebody made; partitions are part of their parents."""
    rows = session.execute(load_queries("tradewright.review.prove")["tables"])
    return [Home(schema, table) for schema, table in rows.fetchall()]


def digests(session: Session) -> dict[Home, Digest]:
    """Return each table's rows as a number and a digest."""
    text = load_queries("tradewright.review.prove")["digest"]
    found = {}
    for home in tables_of(session):
        row = session.execute(sql.SQL(text).format(table=quoted(home))).fetchone()
        found[home] = Digest(*(row or (0, "")))
    return found


def changed(before: Mapping[Home, Digest], after: Mapping[Home, Digest]) -> tuple[str, ...]:
    """Return the tables of `before` whose rows are others now."""
    return tuple(
        f"{home.table}: {before[home].rows} rows are others or gone"
        for home in sorted(before, key=str)
        if after.get(home) != before[home]
    )


def _fill(session: Session, home: Home, keys: Sequence[ForeignKey]) -> _Filling:
    """Insert rows into one table, as many as it takes."""
    own = [key for key in keys if key.home == home]
    columns = columns_of(session, home.schema, home.table)
    filling = _Filling.HOPELESS
    with session.transaction(), _guards_aside(session, home):
        for number in range(ROWS_PER_TABLE):
            filling = _insert_some(session, home, _Row(columns, number), own)
            if filling is not _Filling.DONE:
                return filling if number == 0 else _Filling.DONE
    return filling


class _Row:
    """A row in the making: which of its candidates each column offers."""

    def __init__(self, columns: Sequence[Column], number: int) -> None:
        self._columns = {column.name: column for column in columns if not column.is_generated}
        self._options = {name: list(candidates(column)) for name, column in self._columns.items()}
        self._turns = dict.fromkeys(self._columns, number)
        self._given = {
            column.name
            for column in self._columns.values()
            if column.must_be_given or _holds_cents(column)
        }
        self._random = random.Random(_SEED + number)  # noqa: S311 - repeatable, no secret

    def values(self) -> dict[str, sql.Composable]:
        """Return the values that are offered now: what is demanded, and all that holds cents."""
        return {name: self._offered(name) for name in self._columns if name in self._given}

    def turn(self, names: Iterable[str]) -> None:
        """Offer other values in these columns."""
        for name in names:
            if name in self._columns:
                self._given.add(name)
                self._turns[name] = self._random.randrange(len(self._options[name]))

    def turn_texts(self) -> None:
        """Offer other texts, because these are taken."""
        self.turn([name for name in self._given if self._columns[name].category == "S"])

    def _offered(self, name: str) -> sql.Composable:
        options = self._options[name]
        return options[self._turns[name] % len(options)]


def _holds_cents(column: Column) -> bool:
    return column.base == "numeric" and not column.is_generated


def _insert_some(session: Session, home: Home, row: _Row, keys: Sequence[ForeignKey]) -> _Filling:
    """Offer a row until it is taken, with other values for what was refused."""
    for _ in range(_ATTEMPTS):
        values = row.values()
        values |= _references(session, keys, values)
        try:
            with session.transaction():
                _insert(session, home, values)
        except psycopg.errors.CheckViolation as error:
            row.turn(_columns_of_check(session, home, error.diag.constraint_name or ""))
        except psycopg.errors.NotNullViolation as error:
            row.turn([error.diag.column_name or ""])
        except psycopg.errors.UniqueViolation:
            row.turn_texts()
        except psycopg.errors.ForeignKeyViolation:
            return _Filling.WAITS
        except psycopg.Error:
            return _Filling.HOPELESS
        else:
            return _Filling.DONE
    return _Filling.HOPELESS


def _insert(session: Session, home: Home, values: Mapping[str, sql.Composable]) -> None:
    insert = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
        quoted(home),
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join(values.values()),
    )
    session.execute(
        insert if values else sql.SQL("INSERT INTO {} DEFAULT VALUES").format(quoted(home))
    )
    session.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _references(
    session: Session, keys: Sequence[ForeignKey], values: Mapping[str, sql.Composable]
) -> dict[str, sql.Composable]:
    """Return values that refer to rows that are there, for the keys whose columns are given."""
    real: dict[str, sql.Composable] = {}
    for key in keys:
        if not values.keys() & {*key.columns}:
            continue
        text = "SELECT {} FROM {} ORDER BY random() LIMIT 1"
        columns = sql.SQL(", ").join(map(sql.Identifier, key.referenced_columns))
        found = session.execute(sql.SQL(text).format(columns, quoted(key.parent))).fetchone()
        if found is not None:
            real |= dict(zip(key.columns, map(sql.Literal, found), strict=True))
    return real


def _columns_of_check(session: Session, home: Home, name: str) -> list[str]:
    query = load_queries("tradewright.review.prove")["columns_of_check"]
    facts = {"schema": home.schema, "table": home.table, "name": name}
    return [row[0] for row in session.execute(query, facts)]


@contextmanager
def _guards_aside(session: Session, home: Home) -> Iterator[None]:
    """Put the triggers of a table aside, and bring each back as it was."""
    query = load_queries("tradewright.review.prove")["triggers"]
    facts = {"schema": home.schema, "table": home.table}
    triggers = session.execute(query, facts).fetchall()
    disable = sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(quoted(home))
    session.execute(disable)
    try:
        yield
    finally:
        for name, mode in triggers:
            text = f"ALTER TABLE {{}} {_MODES[mode]} {{}}"
            session.execute(sql.SQL(text).format(quoted(home), sql.Identifier(name)))


_MODES = {
    "O": "ENABLE TRIGGER",
    "A": "ENABLE ALWAYS TRIGGER",
    "R": "ENABLE REPLICA TRIGGER",
    "D": "DISABLE TRIGGER",
}
