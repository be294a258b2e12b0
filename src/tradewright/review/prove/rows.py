"""Making up values for any column by its type: plain ones, odd ones, ones that do not exist."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import sql

from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column as far as making up a value for it goes.

    `category` is PostgreSQL's letter for the kind of its type, `base` the type below a domain,
    `words` the texts that its checks or its enum name.
    """

    name: str
    type: str
    base: str
    category: str
    not_null: bool
    has_default: bool
    is_generated: bool
    words: tuple[str, ...]

    @property
    def must_be_given(self) -> bool:
        """Return whether a row without a value for it would be refused."""
        return self.not_null and not self.has_default and not self.is_generated


def columns_of(session: Session, schema: str, table: str) -> list[Column]:
    """Return the columns of a table in their order."""
    query = load_queries("tradewright.review.prove")["columns"]
    rows = session.execute(query, {"schema": schema, "table": table})
    return [
        Column(
            name=row[0],
            type=row[1],
            base=row[2],
            category=row[3],
            not_null=row[4],
            has_default=row[5],
            is_generated=row[6],
            words=tuple(row[7] or ()),
        )
        for row in rows.fetchall()
    ]


_BY_TYPE = {
    "uuid": "gen_random_uuid()",
    "json": "'{}'",
    "jsonb": "'{}'",
    "bytea": "sha256('a')",
    "inet": "'192.0.2.1'",
    "cidr": "'192.0.2.0/24'",
    "macaddr": "'08:00:2b:01:02:03'",
    "timestamp with time zone": "clock_timestamp()",
    "timestamp without time zone": "localtimestamp",
    "date": "current_date",
    "time without time zone": "localtime",
    "interval": "'1 hour'",
    "boolean": "false",
    "bit": "'1'",
    "xml": "'<a/>'",
    "tsvector": "''",
    "pg_lsn": "'0/0'",
    "point": "'(0,0)'",
}

_BY_CATEGORY = {"N": "1", "S": "'a'", "A": "'{}'", "R": "'empty'", "B": "false"}

_ABSENT = {
    "uuid": "'deadbeef-dead-4ead-8ead-deadbeefdead'",
    "smallint": "-32011",
    "date": "'0900-01-01'",
    "timestamp with time zone": "'0900-01-01 00:00+00'",
}


def some_value(column: Column) -> sql.Composable:
    """Return an ordinary value of the column's type."""
    return next(candidates(column))


def orphan_value(column: Column) -> sql.Composable:
    """Return a value that no row has: what a forged reference looks like."""
    if column.base in _ABSENT:
        return _literal(_ABSENT[column.base], column)
    if column.category == "N":
        return _literal("-2147400011", column)
    if column.category == "S":
        return _literal("'~' || left(md5('orphan'), 2)", column)
    return some_value(column)


def candidates(column: Column) -> Iterator[sql.Composable]:
    """Yield values that a row might have: the words of its checks, then the usual ones."""
    for word in column.words:
        yield _literal(sql.Literal(word).as_string(None), column)
    if column.base in _BY_TYPE:
        yield _literal(_BY_TYPE[column.base], column)
    elif column.category == "N":
        for number in _NUMBERS[column.base in _WHOLE]:
            if _fits(number, column.type):
                yield _literal(number, column)
    elif column.category == "S":
        for text in _TEXTS:
            yield _literal(text, column)
    elif column.category in _BY_CATEGORY:
        yield _literal(_BY_CATEGORY[column.category], column)
    else:
        yield sql.SQL("NULL")
    if not column.not_null:
        yield sql.SQL("NULL")


_TEXTS = (
    "'a'",
    "left(md5(random()::text), 12)",
    "'AAA'",
    "upper(left(md5(random()::text), 4))",
    "left(md5(random()::text), 9) || '@example.org'",
    "repeat('0', 64)",
)
_NUMERIC = re.compile(r"numeric\((\d+)(?:,(-?\d+))?\)")
_WHOLE = frozenset({"smallint", "integer", "bigint", "oid"})
_NUMBERS = {
    True: ("1", "0", "7", "100"),
    False: ("10.99", "0.01", "1", "0", "0.5"),
}
"""Whole or not → numbers to try; cents come first, for they are what a careless down loses."""


def _fits(number: str, type_name: str) -> bool:
    """Return whether a number has no more digits before the point than its column takes."""
    limits = _NUMERIC.fullmatch(type_name)
    return limits is None or float(number) < 10.0 ** (int(limits[1]) - int(limits[2] or 0))


def _literal(text: str, column: Column) -> sql.Composable:
    """Return an expression of the column's type; `text` and the type are the server's own words."""
    return sql.SQL("({})::{}").format(sql.SQL(text), sql.SQL(column.type))
