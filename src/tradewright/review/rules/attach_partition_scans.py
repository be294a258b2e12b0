"""A table that already holds rows is attached as a partition without a CHECK for its bounds.

ATTACH PARTITION must know that every row fits. Without a CHECK it reads the whole table under an
ACCESS EXCLUSIVE lock, and holds one on the default partition too: 270 ms for two million rows,
0.5 ms where a validated CHECK said it before.

Instead of::

    CREATE TABLE events (at timestamptz NOT NULL) PARTITION BY RANGE (at);
    CREATE TABLE events_2026 (at timestamptz NOT NULL);
    -- in a later file
    ALTER TABLE events ATTACH PARTITION events_2026
        FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2027-01-01 00:00+00');

Use::

    ALTER TABLE events_2026 ADD CONSTRAINT events_2026_in_2026
        CHECK (at >= '2026-01-01 00:00+00' AND at < '2027-01-01 00:00+00') NOT VALID;
    -- in a later file
    ALTER TABLE events_2026 VALIDATE CONSTRAINT events_2026_in_2026;
    -- then attach it, and drop the constraint

Not reported when the table is created in the same unapplied set, or has a validated CHECK that
names a column of the partition key.
<!-- examples: prose -->
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Table
from tradewright.review.schema.tree import range_name


def _check(context: Context, event: Event) -> Iterator[Hit]:
    parent = event.table
    command = event.node.get("def", {}).get("PartitionCmd", {})
    part = context.schema.table(range_name(command.get("name")))
    if part is None or context.is_new(part, event.source) or part.partition_columns is not None:
        return
    if parent is None or not parent.partition_columns or _is_checked(part, parent):
        return
    message = f'attaching "{part.full_name}" reads all of it under an exclusive lock'
    advice = "Add a CHECK of the bounds NOT VALID, validate it in a later file, then attach."
    yield Hit(event.statement, event.statement.start, message, advice, part.full_name)


def _is_checked(part: Table, parent: Table) -> bool:
    keys = parent.partition_columns or ()
    return any(check.valid for key in keys for check in part.checks_of(key))


RULE = Rule(
    id="attach-partition-scans",
    severity=Severity.MINOR,
    category=Category.AVAILABILITY,
    kinds=("AT_AttachPartition",),
    check=_check,
    needs="model",
)
