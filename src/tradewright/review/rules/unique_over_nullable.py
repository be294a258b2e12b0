"""A unique key includes a column that may be NULL.

Rows with NULL never collide: the key allows any number of them, which is rarely what it says.

Instead of::

    CREATE TABLE wallets (id uuid PRIMARY KEY, user_id uuid, currency text NOT NULL,
        UNIQUE (user_id, currency));

Use::

    CREATE TABLE wallets (id uuid PRIMARY KEY, user_id uuid NOT NULL, currency text NOT NULL,
        UNIQUE (user_id, currency));

Not reported when the nullable column is the only one (an optional identifier), the key says NULLS
NOT DISTINCT, or a unique index has a condition.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Constraint, ConstraintKind, Table


def _check(context: Context, _: Event) -> Iterator[Hit]:
    for table in context.schema.tables.values():
        if table.partition_of is not None:
            continue
        for constraint in table.of_kind(ConstraintKind.UNIQUE):
            if constraint.node.get("nulls_not_distinct") or len(constraint.columns) < 2:
                continue
            columns = (table.columns.get(name) for name in constraint.columns)
            nullable = [c.name for c in columns if c is not None and not c.not_null]
            if nullable:
                yield _hit(table, constraint, nullable[0])


def _hit(table: Table, constraint: Constraint, name: str) -> Hit:
    shown = ", ".join(constraint.columns)
    return Hit(
        constraint.statement,
        constraint.offset,
        f'unique key ({shown}) of "{table.full_name}" does not hold where "{name}" is NULL',
        f"Make {name} NOT NULL, or say UNIQUE NULLS NOT DISTINCT.",
        f"{table.full_name}({shown})",
        f"UNIQUE NULLS NOT DISTINCT ({shown})",
    )


RULE = Rule(
    id="unique-over-nullable",
    severity=Severity.MINOR,
    category=Category.CONSTRAINTS,
    kinds=("schema",),
    check=_check,
    needs="model",
)
