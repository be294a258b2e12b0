"""An index is built on an existing table without CONCURRENTLY.

CREATE INDEX takes a SHARE lock: no row of the table can be inserted, updated or deleted until the
index is built, minutes or hours for a large table.

Instead of::

    CREATE INDEX idx_orders_symbol ON orders (symbol);

Use::

    -- tradewright: no-transaction
    CREATE INDEX CONCURRENTLY idx_orders_symbol ON orders (symbol);

Not reported when the table is created in the same file or the same unapplied set (`--after`,
`--since`), or is partitioned, where each partition is to be indexed on its own.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import range_name


def _check(context: Context, event: Event) -> Iterator[Hit]:
    node = event.node
    if node.get("concurrent") or event.body is not None:
        return
    relation = node.get("relation", {})
    table = context.schema.table(range_name(relation))
    if table is not None and context.is_new(table, event.source):
        return
    if table is not None and table.partition_columns is not None:
        return
    name = str(node.get("idxname", ""))
    shown = range_name(relation)[1]
    message = f'building index "{name}" blocks every write to "{shown}" until it is done'
    advice = "Add CONCURRENTLY, in a file that runs outside a transaction."
    fix = event.statement.text.replace("INDEX", "INDEX CONCURRENTLY", 1)
    yield Hit(event.statement, event.statement.start, message, advice, name or shown, f"{fix};")


RULE = Rule(
    id="require-concurrent-index-creation",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("IndexStmt",),
    check=_check,
    needs="model",
)
