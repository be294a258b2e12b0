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
from tradewright.review.schema.catalog import ConstraintKind


def _check(context: Context, _: Event) -> Iterator[Hit]:
    for table in context.schema.tables.values():
        if table.partition_of is not None:
            continue
        for constraint in table.of_kind(ConstraintKind.UNIQUE):
            nullable = [
                name
                for name in constraint.columns
                if name in table.columns and not table.columns[name].not_null
            ]
            if constraint.node.get("nulls_not_distinct") or len(constraint.columns) < 2:
                continue
            if nullable:
                shown = ", ".join(constraint.columns)
                message = (
                    f'unique key ({shown}) of "{table.full_name}" does not hold where '
                    f'"{nullable[0]}" is NULL'
                )
                advice = f"Make {nullable[0]} NOT NULL, or say UNIQUE NULLS NOT DISTINCT."
                yield Hit(
                    constraint.statement,
                    constraint.offset,
                    message,
                    advice,
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
