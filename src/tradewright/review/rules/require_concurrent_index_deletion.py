"""An index is dropped without CONCURRENTLY.

DROP INDEX takes an ACCESS EXCLUSIVE lock on the table: it waits for every running query, and all
queries that come after wait behind it.

Instead of::

    DROP INDEX idx_orders_symbol;

Use::

    -- tradewright: no-transaction
    DROP INDEX CONCURRENTLY idx_orders_symbol;

Not reported when the index's table is created in the same unapplied set, and in down migrations.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rewrite.names import quoted_name
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import list_name


def _check(context: Context, event: Event) -> Iterator[Hit]:
    node = event.node
    if node.get("removeType") != "OBJECT_INDEX" or node.get("concurrent"):
        return
    for wrapped in node.get("objects", ()):
        name = list_name(wrapped)[1]
        found = context.schema.index(name)
        if found and context.is_new(found[0], event.source):
            continue
        message = f'dropping index "{name}" locks its table against reads and writes'
        advice = "Add CONCURRENTLY, in a file that runs outside a transaction."
        guard = "IF EXISTS " if node.get("missing_ok") else ""
        fix = f"DROP INDEX CONCURRENTLY {guard}{quoted_name(list_name(wrapped))};"
        yield Hit(event.statement, event.statement.start, message, advice, name, fix)


RULE = Rule(
    id="require-concurrent-index-deletion",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("DropStmt",),
    check=_check,
    needs="model",
)
