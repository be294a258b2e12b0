"""A partition is made of a table that is not partitioned.

PostgreSQL refuses it: a table must be declared PARTITION BY when it is created.

Instead of::

    CREATE TABLE audit_log (id uuid NOT NULL, created_at timestamptz NOT NULL);
    CREATE TABLE audit_log_2026_01 PARTITION OF audit_log
        FOR VALUES FROM ('2026-01-01T00:00:00Z') TO ('2026-02-01T00:00:00Z');

Use::

    CREATE TABLE audit_log (id uuid NOT NULL, created_at timestamptz NOT NULL)
        PARTITION BY RANGE (created_at);
    CREATE TABLE audit_log_2026_01 PARTITION OF audit_log
        FOR VALUES FROM ('2026-01-01T00:00:00Z') TO ('2026-02-01T00:00:00Z');

Not reported when the parent is not created by the files.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import range_name


def _check(context: Context, event: Event) -> Iterator[Hit]:
    if event.kind == "CreateStmt":
        if "partbound" not in event.node:
            return
        parents = [range_name(p.get("RangeVar")) for p in event.node.get("inhRelations", ())]
        parent = context.schema.table(parents[0]) if parents else None
    else:
        parent = event.table
    if parent is not None and parent.partition_columns is None and parent.columns_known:
        message = f'table "{parent.full_name}" is not partitioned, so it can have no partition'
        advice = f'Declare PARTITION BY where "{parent.full_name}" is created.'
        yield Hit(event.statement, event.statement.start, message, advice, parent.full_name)


RULE = Rule(
    id="partition-of-plain-table",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=("CreateStmt", "AT_AttachPartition"),
    check=_check,
    needs="model",
)
