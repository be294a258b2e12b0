"""CREATE INDEX CONCURRENTLY is used on a partitioned table, where PostgreSQL refuses it.

A partitioned table's index is built partition by partition. CONCURRENTLY is possible only on
each partition.

Instead of::

    -- tradewright: no-transaction
    CREATE TABLE logs (id uuid NOT NULL, at timestamptz NOT NULL) PARTITION BY RANGE (at);
    CREATE INDEX CONCURRENTLY idx_logs_at ON logs (at);

Use::

    -- tradewright: no-transaction
    CREATE TABLE logs (id uuid NOT NULL, at timestamptz NOT NULL) PARTITION BY RANGE (at);
    CREATE INDEX idx_logs_at ON ONLY logs (at);

Not reported when the index is made on one partition. Build one on each partition with
CONCURRENTLY, then attach them with ALTER INDEX ... ATTACH PARTITION.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rewrite.names import quoted, quoted_table
from tradewright.review.rule import Context, Event, Hit, Rule


def _check(_: Context, event: Event) -> Iterator[Hit]:
    node = event.node
    table = event.table
    if table is None or table.partition_columns is None or not node.get("concurrent"):
        return
    name = str(node.get("idxname", ""))
    message = f'index "{name}" cannot be built CONCURRENTLY on partitioned "{table.full_name}"'
    advice = (
        "Create it ON ONLY the parent, then CONCURRENTLY on each partition, then attach each with "
        "ALTER INDEX ... ATTACH PARTITION."
    )
    corrected = f"CREATE INDEX {quoted(name)} ON ONLY {quoted_table(table)} (...);"
    yield Hit(event.statement, event.statement.start, message, advice, name, corrected)


RULE = Rule(
    id="concurrently-on-partitioned-table",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=("IndexStmt",),
    check=_check,
    needs="model",
)
