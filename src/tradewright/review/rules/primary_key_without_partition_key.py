"""A unique key of a partitioned table lacks a column of the partition key.

PostgreSQL can keep a key unique only within one partition, so it refuses a key that does not
contain all columns of the partition key.

Instead of::

    CREATE TABLE audit_log (id uuid PRIMARY KEY, created_at timestamptz NOT NULL)
        PARTITION BY RANGE (created_at);

Use::

    CREATE TABLE audit_log (
        id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (id, created_at)
    ) PARTITION BY RANGE (created_at);

Not reported when the partition key is an expression.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import UNIQUE_KINDS


def _check(_: Context, event: Event) -> Iterator[Hit]:
    table, constraint = event.table, event.constraint
    if table is None or constraint is None or not table.partition_columns:
        return
    missing = [c for c in table.partition_columns if c and c not in constraint.columns]
    if missing and all(table.partition_columns):
        columns = ", ".join(missing)
        message = (
            f'{constraint.kind} of partitioned table "{table.full_name}" lacks the partition key '
            f"({columns}): the table is refused"
        )
        wanted = ", ".join((*constraint.columns, *missing))
        yield Hit(
            event.statement,
            constraint.offset,
            message,
            "Add the partition key to it.",
            f"{table.full_name}:{constraint.name}",
            f"{str(constraint.kind).upper()} ({wanted})",
        )


RULE = Rule(
    id="primary-key-without-partition-key",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=("constraint",),
    check=_check,
    of=UNIQUE_KINDS,
    needs="model",
)
