"""Offering a row that refers to nothing to every foreign key of the finished schema.

Each key is tried alone: in a transaction that is rolled back, the checks, the other foreign keys
and the triggers of its table are put aside, so that nothing else can refuse the row first. Only a
refusal in the key's own name counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.review.prove.model import ForeignKey, OrphanTrial, OrphanVerdict
from tradewright.review.prove.rows import Column, columns_of, orphan_value, some_value
from tradewright.review.schema.tree import range_name, walk
from tradewright.review.source.statements import Reading
from tradewright.review.source.text import Direction, Statement


@dataclass(frozen=True, slots=True)
class _Table:
    schema: str
    name: str

    @property
    def quoted(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)


def try_orphans(session: Session, readings: Iterable[Reading]) -> list[OrphanTrial]:
    """Try every foreign key and tell how it met the row."""
    places = _Places(readings)
    trials = []
    for key in foreign_keys(session):
        verdict, why = _try(session, key)
        statement = places.of(key)
        if statement is not None:
            trials.append(OrphanTrial(statement=statement, key=key, verdict=verdict, why=why))
    return trials


def foreign_keys(session: Session) -> list[ForeignKey]:
    """Return every foreign key that was declared."""
    rows = session.execute(load_queries("tradewright.review.prove")["foreign_keys"])
    return [
        ForeignKey(
            name=name,
            schema=schema,
            table=table,
            columns=tuple(columns),
            referenced=referenced,
            is_enforced=enforced,
            is_valid=valid,
        )
        for name, schema, table, columns, referenced, enforced, valid in rows.fetchall()
    ]


def _try(session: Session, key: ForeignKey) -> tuple[OrphanVerdict, str]:
    if session.closed:
        return OrphanVerdict.UNTRIED, "the session was lost"
    try:
        with session.transaction(force_rollback=True):
            _isolate(session, key)
            _insert_orphan(session, key)
            session.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except psycopg.errors.ForeignKeyViolation as error:
        if error.diag.constraint_name == key.name:
            return OrphanVerdict.REFUSED, ""
        return OrphanVerdict.UNTRIED, str(error.diag.message_primary)
    except psycopg.Error as error:
        return OrphanVerdict.UNTRIED, str(error.diag.message_primary or error)
    why = "" if key.is_enforced else "it is NOT ENFORCED"
    return OrphanVerdict.ACCEPTED, why


def _isolate(session: Session, key: ForeignKey) -> None:
    """Put aside what else could refuse a row of the table."""
    table = _Table(key.schema, key.table).quoted
    found = session.execute(
        load_queries("tradewright.review.prove")["other_constraints"],
        {"schema": key.schema, "table": key.table, "name": key.name},
    )
    for (name,) in found.fetchall():
        drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
        session.execute(drop.format(table, sql.Identifier(name)))
    session.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(table))


def _insert_orphan(session: Session, key: ForeignKey) -> None:
    columns = columns_of(session, key.schema, key.table)
    given = [each for each in columns if each.name in key.columns or each.must_be_given]
    values = [_value(each, key) for each in given]
    insert = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
        _Table(key.schema, key.table).quoted,
        sql.SQL(", ").join(sql.Identifier(each.name) for each in given),
        sql.SQL(", ").join(values),
    )
    try:
        with session.transaction():
            session.execute(insert)
    except psycopg.errors.CheckViolation:
        _add_default_partition(session, key)
        session.execute(insert)


def _value(column: Column, key: ForeignKey) -> sql.Composable:
    return orphan_value(column) if column.name in key.columns else some_value(column)


def _add_default_partition(session: Session, key: ForeignKey) -> None:
    table = _Table(key.schema, key.table).quoted
    text = "CREATE TABLE {} PARTITION OF {} DEFAULT"
    name = sql.Identifier(key.schema, "tradewright_orphans")
    session.execute(sql.SQL(text).format(name, table))


class _Places:
    """Where the foreign keys and tables of the schema were declared."""

    def __init__(self, readings: Iterable[Reading]) -> None:
        self._by_constraint: dict[str, Statement] = {}
        self._by_table: dict[str, Statement] = {}
        self._first: Statement | None = None
        for reading in readings:
            if reading.source.direction is Direction.UP:
                self._note(reading.statements)

    def of(self, key: ForeignKey) -> Statement | None:
        """Return the statement that declared a key, else its table's, else the first of all."""
        named = self._by_constraint.get(key.name)
        return named or self._by_table.get(key.table) or self._first

    def _note(self, statements: Sequence[Statement]) -> None:
        for statement in statements:
            self._first = self._first or statement
            if statement.kind not in {"CreateStmt", "AlterTableStmt"}:
                continue
            table = range_name(statement.node.get("relation"))[1]
            if statement.kind == "CreateStmt":
                self._by_table.setdefault(table, statement)
            for kind, node in walk(statement.node):
                if kind == "Constraint" and node.get("conname"):
                    self._by_constraint.setdefault(str(node["conname"]), statement)
