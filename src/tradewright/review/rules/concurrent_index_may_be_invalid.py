"""An index is built CONCURRENTLY IF NOT EXISTS.

When a concurrent build fails, an INVALID index of that name remains. The next run finds the name
and does nothing: the index is written for ever and never used.

Instead of::

    -- tradewright: no-transaction
    CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_orders_symbol ON orders (symbol);

Use::

    -- tradewright: no-transaction
    DROP INDEX CONCURRENTLY IF EXISTS idx_orders_symbol;
    CREATE INDEX CONCURRENTLY idx_orders_symbol ON orders (symbol);

Not reported when the same file drops the index before, IF NOT EXISTS is not used, or the runner
is Tradewright's own, which rebuilds INVALID indexes.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rewrite.names import quoted_name
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import list_name, range_name


def _check(context: Context, event: Event) -> Iterator[Hit]:
    node = event.node
    if not (node.get("concurrent") and node.get("if_not_exists")):
        return
    if event.source.layout == "tradewright":
        return
    name = str(node.get("idxname", ""))
    for statement in context.readings[-1].statements:
        dropped = statement.kind == "DropStmt" and statement.start < event.statement.start
        if dropped and name in {list_name(o)[1] for o in statement.node.get("objects", ())}:
            return
    message = f'if building "{name}" fails once, IF NOT EXISTS hides the INVALID index for ever'
    advice = "Drop it IF EXISTS before, and create it without IF NOT EXISTS."
    schema = range_name(node.get("relation"))[0]
    fix = f"DROP INDEX CONCURRENTLY IF EXISTS {quoted_name((schema, name))};"
    yield Hit(event.statement, event.statement.start, message, advice, name, fix)


RULE = Rule(
    id="concurrent-index-may-be-invalid",
    severity=Severity.INFO,
    category=Category.AVAILABILITY,
    kinds=("IndexStmt",),
    check=_check,
)
