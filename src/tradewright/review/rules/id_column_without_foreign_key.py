"""A column named after another table's key has no foreign key to it.

Nothing stops a row that points nowhere: payments of users who do not exist, orders of accounts
that were deleted. Later, a foreign key cannot be added before somebody has cleaned up.

Instead of::

    CREATE TABLE users (id uuid PRIMARY KEY);
    CREATE TABLE payments (id uuid PRIMARY KEY, user_id uuid NOT NULL);

Use::

    CREATE TABLE users (id uuid PRIMARY KEY);
    CREATE TABLE payments (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users (id) ON DELETE RESTRICT
    );

Not reported when no table of that name has a single-column key, when a composite foreign key
holds the column, in partitions, and in audit, event and log tables, which must survive what they
speak of.
"""

import re
from collections.abc import Iterator
from functools import partial

from tradewright.review.meaning import referred_table
from tradewright.review.model import Category, Edit, Severity
from tradewright.review.rewrite.names import quoted, quoted_table
from tradewright.review.rewrite.spans import column_extended, is_before, is_made_here
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Column, ConstraintKind, Relation, Table


def _check(context: Context, _: Event) -> Iterator[Hit]:
    for table in context.schema.tables.values():
        if table.relation is not Relation.TABLE or table.partition_of or _is_trail(table):
            continue
        bound = {c for fk in table.of_kind(ConstraintKind.FOREIGN) for c in fk.columns}
        for column in table.columns.values():
            target = referred_table(column, context.schema)
            if target is None or column.name in bound or not _refers(table, column, target):
                continue
            hit = _hit(table, column, target)
            hit.fix = partial(_fixed, context, table, column, target)
            yield hit


def _fixed(context: Context, table: Table, column: Column, target: Table) -> Iterator[Edit]:
    """Name the key in the column's definition, where its type fits and its target is there."""
    key = target.primary_key[0]
    known = target.columns.get(key)
    fits = known is not None and known.type == column.type
    there = target is table or is_before(context, target.statement, column.statement)
    if fits and there and is_made_here(context, column, table):
        name = _key_name(table, column)
        yield from column_extended(
            column, f"CONSTRAINT {name} REFERENCES {quoted_table(target)} ({quoted(key)})"
        )


def _is_trail(table: Table) -> bool:
    return table.temporary or bool(re.search(r"audit|event|_log$|history|archive", table.name))


def _refers(table: Table, column: Column, target: Table) -> bool:
    key = target.primary_key
    if len(key) != 1 or target.relation is not Relation.TABLE:
        return False
    return target is not table or column.name.startswith("parent")


def _key_name(table: Table, column: Column) -> str:
    return quoted(f"{table.name}_{column.name}_fkey"[:63])


def _hit(table: Table, column: Column, target: Table) -> Hit:
    key = target.primary_key[0]
    name = f"{table.full_name}.{column.name}"
    fix = (
        f"ALTER TABLE {quoted_table(table)} ADD CONSTRAINT {_key_name(table, column)} "
        f"FOREIGN KEY ({quoted(column.name)}) "
        f"REFERENCES {quoted_table(target)} ({quoted(key)}) NOT VALID;"
    )
    message = f'column "{name}" has no foreign key to "{target.full_name}": rows may point nowhere'
    advice = f"Add a foreign key to {target.full_name} ({key}), then validate it."
    return Hit(column.statement, column.offset, message, advice, name, fix)


RULE = Rule(
    id="id-column-without-foreign-key",
    severity=Severity.MAJOR,
    category=Category.CONSTRAINTS,
    kinds=("schema",),
    check=_check,
    needs="model",
    fixable=True,
)
