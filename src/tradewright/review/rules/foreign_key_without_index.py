"""A foreign key's columns have no index of their own.

PostgreSQL indexes the side referred to, not the side that refers. Each DELETE or key UPDATE of
the other table then scans this one from end to end, holding locks, and joins have no way in.

Instead of::

    CREATE TABLE users (id uuid PRIMARY KEY);
    CREATE TABLE orders (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users (id)
    );

Use::

    CREATE TABLE users (id uuid PRIMARY KEY);
    CREATE TABLE orders (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users (id)
    );
    CREATE INDEX idx_orders_user_id ON orders (user_id);

Not reported when an index, in any file, begins with the foreign key's columns in any order; a
partial index serves when its condition is that the column IS NOT NULL. A composite foreign key is
served by a unique key within it, or by an index that begins with an id of it. NOT ENFORCED foreign
keys look nothing up.
"""

from collections.abc import Iterator
from functools import partial

from tradewright.review.model import Category, Edit, Severity
from tradewright.review.rewrite.names import list_of, quoted, quoted_table
from tradewright.review.rewrite.spans import followed_by
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Constraint, ConstraintKind, Table
from tradewright.review.schema.tree import column_refs
from tradewright.review.source.parser import Node


def _check(context: Context, _: Event) -> Iterator[Hit]:
    for table in context.schema.tables.values():
        if table.partition_of is not None:
            continue
        for constraint in table.of_kind(ConstraintKind.FOREIGN):
            if not (constraint.columns and constraint.enforced):
                continue
            if not _is_served(table, constraint.columns):
                columns = ", ".join(constraint.columns)
                name = f"idx_{table.name}_{'_'.join(constraint.columns)}"
                made = (
                    f"CREATE INDEX {quoted(name[:63])} ON {quoted_table(table)} "
                    f"({list_of(constraint.columns)});"
                )
                yield Hit(
                    constraint.statement,
                    constraint.offset,
                    f'foreign key "{constraint.name}" of "{table.full_name}" ({columns}) has no '
                    f'index: deleting from "{constraint.target[1]}" scans the whole table',
                    "Create an index that begins with these columns.",
                    f"{table.full_name}({columns})",
                    made.replace("INDEX", "INDEX CONCURRENTLY", 1),
                    fix=partial(_fixed, context, table, constraint, made),
                )


def _fixed(context: Context, table: Table, constraint: Constraint, made: str) -> Iterator[Edit]:
    """Write the index behind the foreign key, where nobody uses the table yet."""
    if context.is_new(table, constraint.statement.source):
        yield from followed_by(constraint.statement, made)


def _is_served(table: Table, columns: tuple[str, ...]) -> bool:
    wanted, width = set(columns), len(columns)
    if any(set(prefix[:width]) == wanted for prefix in table.index_prefixes()):
        return True
    if any(set(key) <= wanted for key in table.unique_keys()):
        return True
    if width > 1 and any(_is_id(p[0]) and p[0] in wanted for p in table.index_prefixes() if p):
        return True
    return any(
        set(index.columns[:width]) == wanted and _only_not_null(index.where, wanted)
        for index in table.indexes
        if index.where is not None
    )


def _is_id(column: str) -> bool:
    return column == "id" or column.endswith("_id")


def _only_not_null(where: Node | None, wanted: set[str]) -> bool:
    test = (where or {}).get("NullTest", {})
    return (
        test.get("nulltesttype") == "IS_NOT_NULL"
        and {column for _, column in column_refs(test)} <= wanted
    )


RULE = Rule(
    id="foreign-key-without-index",
    severity=Severity.MINOR,
    category=Category.INDEXING,
    kinds=("schema",),
    check=_check,
    needs="model",
    fixable=True,
)
