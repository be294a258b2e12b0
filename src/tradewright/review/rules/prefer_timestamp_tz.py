"""A column stores time without a time zone.

`timestamp` keeps the digits of a clock and forgets which clock it was. Sessions in other zones
read other instants from the same row, an hour repeats each autumn, and reports that must order
events (audit, best execution) cannot be trusted.

Instead of::

    CREATE TABLE payments (id uuid PRIMARY KEY, created_at timestamp NOT NULL);

Use::

    CREATE TABLE payments (id uuid PRIMARY KEY, created_at timestamptz NOT NULL);

Not reported when the column is a date, an interval or a time of day that belongs to no instant.
"""

from collections.abc import Iterator
from functools import partial

from tradewright.review.model import Category, Edit, Severity
from tradewright.review.rewrite.names import quoted
from tradewright.review.rewrite.spans import retyped
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Column
from tradewright.review.schema.tree import function_calls, type_name

_BARE = frozenset({"timestamp", "timestamp[]"})


def _check(_: Context, event: Event) -> Iterator[Hit]:
    if event.column is not None and event.table is not None:
        if event.column.type in _BARE:
            hit = _hit(event, event.table.full_name, event.column.name, event.column.offset)
            hit.fix = partial(_fixed, event.column)
            yield hit
    elif event.kind == "AT_AlterColumnType":
        definition = event.node.get("def", {}).get("ColumnDef", {})
        if type_name(definition.get("typeName")) in _BARE and event.table is not None:
            place = event.statement.place(definition)
            yield _hit(event, event.table.full_name, event.node.get("name", ""), place)


def _fixed(column: Column) -> Iterator[Edit]:
    """Give a new column the zone, unless its default is a clock's time in a zone of its own."""
    moved = any(name == "timezone" for name, _ in function_calls(column.default or {}))
    if not moved and column.statement.kind in {"CreateStmt", "AlterTableStmt"}:
        precision = f"({column.modifiers[0]})" if column.modifiers else ""
        brackets = "[]" if column.type.endswith("[]") else ""
        yield from retyped(column, f"timestamptz{precision}{brackets}")


def _hit(event: Event, table: str, column: str, offset: int) -> Hit:
    return Hit(
        event.statement,
        offset,
        f'column "{table}.{column}" is timestamp without time zone: '
        "which instant it means depends on the session",
        "Use timestamptz.",
        f"{table}.{column}",
        f"{quoted(column)} timestamptz",
    )


RULE = Rule(
    id="prefer-timestamp-tz",
    severity=Severity.MAJOR,
    category=Category.TIME,
    kinds=("column", "AT_AlterColumnType"),
    check=_check,
    of=_BARE,
    fixable=True,
)
