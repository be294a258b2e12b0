"""A partition is detached without CONCURRENTLY.

DETACH PARTITION takes an ACCESS EXCLUSIVE lock on the parent: all reads and writes of all
partitions wait.

Instead of::

    ALTER TABLE logs DETACH PARTITION logs_2020;

Use::

    -- tradewright: no-transaction
    ALTER TABLE logs DETACH PARTITION logs_2020 CONCURRENTLY;

Not reported when the parent is created in the same unapplied set, or has a default partition,
with which CONCURRENTLY is not possible.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rewrite.names import quoted_name
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import range_name


def _check(context: Context, event: Event) -> Iterator[Hit]:
    command = event.node.get("def", {}).get("PartitionCmd", {})
    part = range_name(command.get("name"))[1]
    parent = range_name(event.statement.node.get("relation"))[1]
    if command.get("concurrent"):
        return
    if event.table is not None:
        key = (event.table.schema, event.table.name)
        parts = [t for t in context.schema.tables.values() if t.partition_of == key]
        if context.is_new(event.table, event.source):
            return
        if any(t.statement.node.get("partbound", {}).get("is_default") for t in parts):
            return
    message = f'detaching "{part}" locks all of "{parent}" against reads and writes'
    advice = "Add CONCURRENTLY, in a file that runs outside a transaction."
    written = quoted_name(range_name(event.statement.node.get("relation")))
    leaving = quoted_name(range_name(command.get("name")))
    fix = f"ALTER TABLE {written} DETACH PARTITION {leaving} CONCURRENTLY;"
    yield Hit(event.statement, event.statement.start, message, advice, part, fix)


RULE = Rule(
    id="require-concurrent-partition-detach",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("AT_DetachPartition",),
    check=_check,
    needs="model",
)
