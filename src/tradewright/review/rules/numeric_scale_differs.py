"""Columns for the same quantity have different scales.

What one table holds with eight digits another one rounds to two. Copying an amount between them
changes it without a word.

Instead of::

    CREATE TABLE orders (id uuid PRIMARY KEY, price numeric(20, 8) NOT NULL);
    CREATE TABLE trades (id uuid PRIMARY KEY, price numeric(20, 2) NOT NULL);

Use::

    CREATE TABLE orders (id uuid PRIMARY KEY, price numeric(20, 8) NOT NULL);
    CREATE TABLE trades (id uuid PRIMARY KEY, price numeric(20, 8) NOT NULL);

Not reported when the columns have different names, or the name does not speak of money.
"""

from collections.abc import Iterator

from tradewright.review.meaning import EXACT, is_money
from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Column, Table


def _check(context: Context, _: Event) -> Iterator[Hit]:
    widest: dict[str, tuple[int, str]] = {}
    columns = list(_money_columns(context))
    for table, column in columns:
        known = widest.get(column.name, (-1, ""))
        widest[column.name] = max(known, (column.modifiers[1], table.full_name))
    for table, column in columns:
        scale, other = widest[column.name]
        if column.modifiers[1] < scale:
            name = f"{table.full_name}.{column.name}"
            message = (
                f'"{name}" keeps {column.modifiers[1]} digits, '
                f'"{other}.{column.name}" keeps {scale}: copying rounds the amount'
            )
            yield Hit(
                column.statement,
                column.offset,
                message,
                "Give the same quantity the same scale everywhere.",
                name,
            )


def _money_columns(context: Context) -> Iterator[tuple[Table, Column]]:
    for table in context.schema.tables.values():
        for column in table.columns.values():
            scaled = column.type in EXACT and len(column.modifiers) == 2
            if scaled and is_money(column.name) and table.partition_of is None:
                yield table, column


RULE = Rule(
    id="numeric-scale-differs",
    severity=Severity.MINOR,
    category=Category.PRECISION,
    kinds=("schema",),
    check=_check,
    needs="model",
)
