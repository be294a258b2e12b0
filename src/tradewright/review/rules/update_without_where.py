"""An UPDATE or DELETE has no WHERE.

It changes every row of the table, in one transaction that locks them all. In a migration this is
seldom meant, and never cheap.

Instead of::

    UPDATE orders SET status = 'closed';

Use::

    UPDATE orders SET status = 'closed' WHERE status = 'done';

Not reported when the table was created by the same file or is temporary, or when the statement
joins other tables (UPDATE ... FROM, DELETE ... USING).
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import range_name


def _check(context: Context, event: Event) -> Iterator[Hit]:
    node = event.node
    if any(key in node for key in ("whereClause", "fromClause", "usingClause")):
        return
    name = range_name(node.get("relation"))[1]
    table = context.schema.table(range_name(node.get("relation")))
    if event.routine is None and table is not None and context.is_new(table, event.source):
        return
    verb = "UPDATE" if event.kind == "UpdateStmt" else "DELETE"
    message = f'{verb} without WHERE changes every row of "{name}" and locks them all'
    advice = "Say which rows, or WHERE true to say that all are meant, in batches."
    yield Hit(event.statement, event.statement.start, message, advice, f"{verb} {name}")


RULE = Rule(
    id="update-without-where",
    severity=Severity.MAJOR,
    category=Category.CONSTRAINTS,
    kinds=("UpdateStmt", "DeleteStmt"),
    check=_check,
)
