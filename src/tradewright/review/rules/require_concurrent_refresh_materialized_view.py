"""A materialized view is refreshed without CONCURRENTLY.

REFRESH takes an ACCESS EXCLUSIVE lock: nobody can read the view while its query runs.

Instead of::

    REFRESH MATERIALIZED VIEW totals;

Use::

    REFRESH MATERIALIZED VIEW CONCURRENTLY totals;

Not reported when the view is created in the same unapplied set, or is emptied WITH NO DATA.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rewrite.names import quoted_name
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import range_name


def _check(context: Context, event: Event) -> Iterator[Hit]:
    node = event.node
    if node.get("concurrent") or node.get("skipData"):
        return
    view = context.schema.table(range_name(node.get("relation")))
    name = range_name(node.get("relation"))[1]
    if view is not None and event.routine is None and context.is_new(view, event.source):
        return
    message = f'nobody can read "{name}" while it is refreshed'
    advice = "Refresh it CONCURRENTLY; it needs a unique index for that."
    fix = f"REFRESH MATERIALIZED VIEW CONCURRENTLY {quoted_name(range_name(node.get('relation')))};"
    yield Hit(event.statement, event.statement.start, message, advice, name, fix)


RULE = Rule(
    id="require-concurrent-refresh-materialized-view",
    severity=Severity.MINOR,
    category=Category.AVAILABILITY,
    kinds=("RefreshMatViewStmt",),
    check=_check,
    needs="model",
)
