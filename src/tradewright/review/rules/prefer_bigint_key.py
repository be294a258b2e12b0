"""A table's key is a 32-bit integer.

It ends at 2,147,483,647. A table of orders or events gets there, and widening the key rewrites
the table and everything that refers to it.

Instead of::

    CREATE TABLE events (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY);

Use::

    CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);

Not reported when the key is not counted up by the database (codes, years).
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rewrite.names import quoted
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Column


def _check(_: Context, event: Event) -> Iterator[Hit]:
    table = event.table
    if table is None or len(table.primary_key) != 1 or table.partition_of:
        return
    column = table.columns.get(table.primary_key[0])
    if column is None:
        return
    if column.type in {"serial", "smallserial"} or (_is_narrow(column) and _is_counted(column)):
        name = f"{table.full_name}.{column.name}"
        message = f'key "{name}" ends at {"32,767" if "small" in column.type else "2,147,483,647"}'
        fix = f"{quoted(column.name)} bigint GENERATED ALWAYS AS IDENTITY"
        yield Hit(event.statement, column.offset, message, "Use bigint.", name, fix)


def _is_narrow(column: Column) -> bool:
    return column.type in {"integer", "smallint"}


def _is_counted(column: Column) -> bool:
    return column.identity or "nextval" in str(column.default)


RULE = Rule(
    id="prefer-bigint-key",
    severity=Severity.INFO,
    category=Category.MAINTAINABILITY,
    kinds=("table",),
    check=_check,
)
