"""Offering a row that refers to nothing to every foreign key of the finished schema.

Each key is tried alone: in a transaction that is rolled back, the checks, the other foreign keys
and the triggers of its table are put aside, so that nothing else can refuse the row first. Only a
refusal in the key's own name counts. A key that lets the row in may still be kept by triggers, so
the row is offered again with them, its other references being real.
"""

from collections.abc import Iterable, Sequence

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.review.prove.model import ForeignKey, Home, OrphanTrial, OrphanVerdict
from tradewright.review.prove.rows import columns_of, orphan_value, some_value
from tradewright.review.schema.tree import range_name, walk
from tradewright.review.source.statements import Reading
from tradewright.review.source.text import Direction, Statement


def try_orphans(session: Session, readings: Iterable[Reading]) -> list[OrphanTrial]:
    """Try every foreign key and tell how it met the row."""
    places = _Places(readings)
    trials = []
    keys = foreign_keys(session)
    for key in keys:
        verdict, why = _try(session, key, [each for each in keys if _is_beside(each, key)])
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
            parent=Home(parent_schema, parent),
            referenced_columns=tuple(referenced),
            is_enforced=enforced,
        )
        for name, schema, table, columns, parent_schema, parent, referenced, enforced in rows
    ]


def _try(
    session: Session, key: ForeignKey, others: Sequence[ForeignKey]
) -> tuple[OrphanVerdict, str]:
    """Offer the row with triggers put aside; where the key lets it in, once more with them."""
    if session.closed:
        return OrphanVerdict.UNTRIED, "the session was lost"
    error = _offer(session, key)
    if error is None:
        return _with_triggers(session, key, others)
    if error.diag.constraint_name == key.name:
        return OrphanVerdict.REFUSED, ""
    return OrphanVerdict.UNTRIED, str(error.diag.message_primary or error)


def _with_triggers(
    session: Session, key: ForeignKey, others: Sequence[ForeignKey]
) -> tuple[OrphanVerdict, str]:
    error = _offer(session, key, others, triggers=True)
    if error is None:
        return OrphanVerdict.ACCEPTED, "" if key.is_enforced else "it is NOT ENFORCED"
    why = str(error.diag.message_primary or error)
    is_guard = isinstance(error, psycopg.errors.ForeignKeyViolation)
    return OrphanVerdict.GUARDED if is_guard else OrphanVerdict.UNTRIED, why


def _offer(
    session: Session,
    key: ForeignKey,
    others: Sequence[ForeignKey] = (),
    *,
    triggers: bool = False,
) -> psycopg.Error | None:
    """Insert the row, and roll it back; return what the server said against it."""
    try:
        with session.transaction(force_rollback=True):
            isolate(session, key.home, keep=key.name, triggers=triggers)
            real = _real_parents(session, others)
            _insert_orphan(session, key, real)
            session.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except psycopg.Error as error:
        return error
    return None


def _is_beside(other: ForeignKey, key: ForeignKey) -> bool:
    """Return whether another key of the table can refer to a real row while this one does not."""
    is_elsewhere = other.parent != key.home and not {*other.columns} & {*key.columns}
    return other.home == key.home and is_elsewhere


def isolate(session: Session, home: Home, *, keep: str = "", triggers: bool = False) -> None:
    """Put aside what else could refuse a row of the table."""
    found = session.execute(
        load_queries("tradewright.review.prove")["other_constraints"],
        {"schema": home.schema, "table": home.table, "name": keep},
    )
    for (name,) in found.fetchall():
        drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
        session.execute(drop.format(quoted(home), sql.Identifier(name)))
    if not triggers:
        session.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(quoted(home)))


def _real_parents(session: Session, others: Sequence[ForeignKey]) -> dict[str, sql.Composable]:
    """Make a row for each other key of the table to refer to; return the columns that do."""
    real: dict[str, sql.Composable] = {}
    for other in others:
        isolate(session, other.parent)
        row = insert_row(session, other.parent, {})
        for column, referenced in zip(other.columns, other.referenced_columns, strict=True):
            real[column] = sql.Literal(row[referenced])
    return real


def _insert_orphan(session: Session, key: ForeignKey, real: dict[str, sql.Composable]) -> None:
    """Insert a row that names nobody; of several columns those with a default may keep it."""
    columns = [
        each for each in columns_of(session, key.schema, key.table) if each.name in key.columns
    ]
    forged = {each.name: orphan_value(each) for each in columns if not each.has_default}
    if not forged:
        forged = {each.name: orphan_value(each) for each in columns}
    insert_row(session, key.home, {**real, **forged})


def insert_row(session: Session, home: Home, given: dict[str, sql.Composable]) -> dict[str, object]:
    """Insert a row with the given values, made-up ones where the table demands some; return it."""
    columns = columns_of(session, home.schema, home.table)
    values = {each.name: some_value(each) for each in columns if each.must_be_given} | given
    insert = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({}) RETURNING *").format(
        quoted(home),
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join(values.values()),
    )
    if not values:
        insert = sql.SQL("INSERT INTO {} DEFAULT VALUES RETURNING *").format(quoted(home))
    with session.cursor(row_factory=dict_row) as cursor:
        try:
            with session.transaction():
                return cursor.execute(insert).fetchone() or {}
        except psycopg.errors.CheckViolation:
            if not _is_partitioned(session, home):
                raise
            _add_default_partition(session, home)
            return cursor.execute(insert).fetchone() or {}


def _is_partitioned(session: Session, home: Home) -> bool:
    query = load_queries("tradewright.review.prove")["is_partitioned"]
    row = session.execute(query, {"schema": home.schema, "table": home.table}).fetchone()
    return row is not None and bool(row[0])


def _add_default_partition(session: Session, home: Home) -> None:
    text = "CREATE TABLE {} PARTITION OF {} DEFAULT"
    name = sql.Identifier(home.schema, "tradewright_orphans")
    session.execute(sql.SQL(text).format(name, quoted(home)))


def quoted(home: Home) -> sql.Identifier:
    """Return a table's name as SQL."""
    return sql.Identifier(home.schema, home.table)


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
