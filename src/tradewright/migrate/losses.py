"""What a way back would take away: tables that hold rows, and columns of them.

PostgreSQL's own parser says what the files drop or empty, the database what stands in it. What a
file does in a DO block or a function is not seen, nor what a DELETE takes.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import postgast
from postgast import pg_query_pb2 as tree
from psycopg import sql

from tradewright.migrate.model import PlannedFile
from tradewright.migrate.statements import dropped_name, quote_name, relation_name
from tradewright.migrate.store import Store
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

ROWS_COUNTED_MAX = 100_000
"""More rows of a table are estimated, not counted."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A table that holds rows: all of them would go, or what stands in `columns`."""

    table: str
    rows: int
    is_estimated: bool
    columns: tuple[str, ...]


def read_losses(session: Session, store: Store, planned: Sequence[PlannedFile]) -> list[Loss]:
    """Return what files would take away that holds rows now, by table; reads only."""
    columns: dict[str, set[str]] = defaultdict(set)
    whole: set[str] = set()
    for file in planned:
        for statement in file.statements:
            for table, column in _taken(statement.text):
                if column is None:
                    whole.add(table)
                else:
                    columns[table].add(column)
    losses = [
        _loss(session, store, table, () if table in whole else tuple(sorted(columns[table])))
        for table in sorted(whole | columns.keys())
    ]
    return [loss for loss in losses if loss is not None]


def _loss(session: Session, store: Store, table: str, columns: tuple[str, ...]) -> Loss | None:
    row = session.execute(store.query("table_to_lose"), {"table": table}).fetchone()
    if row is None:
        return None
    name, estimated = row
    query = sql.SQL(load_queries("tradewright.migrate")["rows_to_lose"])
    counted = query.format(table=sql.SQL(name))
    (count,) = session.execute(counted, {"count_max": ROWS_COUNTED_MAX}).fetchone() or (0,)
    if not count:
        return None
    is_estimated = count == ROWS_COUNTED_MAX
    return Loss(name, max(count, estimated) if is_estimated else count, is_estimated, columns)


def _taken(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield each table that a statement drops or empties, or a column of it that it drops."""
    for item in postgast.parse(text).stmts:
        kind = item.stmt.WhichOneof("node")
        statement = getattr(item.stmt, kind)
        if kind == "drop_stmt" and statement.remove_type == tree.ObjectType.OBJECT_TABLE:
            yield from ((dropped_name(each), None) for each in statement.objects)
        elif kind == "truncate_stmt":
            yield from ((relation_name(each.range_var), None) for each in statement.relations)
        elif kind == "alter_table_stmt":
            yield from _columns(statement)


def _columns(statement: Any) -> Iterator[tuple[str, str]]:
    for command in statement.cmds:
        change = command.alter_table_cmd
        if change.subtype == tree.AlterTableType.AT_DropColumn:
            yield relation_name(statement.relation), quote_name(change.name)
