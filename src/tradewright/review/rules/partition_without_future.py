"""A table partitioned by time has no way to get its next partition.

When the last month that somebody made by hand is over, every INSERT fails, or everything lands in
the default partition, which grows without end.

Instead of::

    CREATE TABLE logs (id uuid NOT NULL, at timestamptz NOT NULL) PARTITION BY RANGE (at);
    CREATE TABLE logs_2026_01 PARTITION OF logs
        FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-02-01 00:00:00+00');

Use::

    CREATE TABLE logs (id uuid NOT NULL, at timestamptz NOT NULL) PARTITION BY RANGE (at);
    CREATE TABLE logs_default PARTITION OF logs DEFAULT;

Not reported when a function of the files makes partitions, an extension does (pg_partman,
timescaledb), or a default partition exists.
"""

import re
from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Table

_MAKER = re.compile(r"PARTITION\s+OF|ATTACH\s+PARTITION|create_parent|partman", re.IGNORECASE)
_TIMES = frozenset({"date", "timestamptz", "timestamp"})


def _check(context: Context, _: Event) -> Iterator[Hit]:
    schema = context.schema
    tables = list(_by_time(context))
    if not tables or schema.extensions & {"pg_partman", "timescaledb"}:
        return
    if any(_MAKER.search(routine.body) for routine in schema.routines.values()):
        return
    for table in tables:
        parts = [t for t in schema.tables.values() if t.partition_of == (table.schema, table.name)]
        if any(t.statement.node.get("partbound", {}).get("is_default") for t in parts):
            continue
        last = parts[-1] if parts else table
        made = f"only {len(parts)} partitions, made by hand" if parts else "no partition at all"
        message = (
            f'"{table.full_name}" has {made}, and nothing makes the next: '
            "inserts fail when the last one is over"
        )
        advice = (
            "Add a function that makes partitions ahead, run it from a job, and keep a default."
        )
        yield Hit(last.statement, last.statement.start, message, advice, table.full_name)


def _by_time(context: Context) -> Iterator[Table]:
    for table in context.schema.tables.values():
        keys = table.partition_columns or ()
        if table.partition_strategy == "range" and keys and not table.partition_of:
            column = table.columns.get(keys[0])
            if column is not None and column.type in _TIMES:
                yield table


RULE = Rule(
    id="partition-without-future",
    severity=Severity.MAJOR,
    category=Category.TIME,
    kinds=("schema",),
    check=_check,
    needs="model",
)
