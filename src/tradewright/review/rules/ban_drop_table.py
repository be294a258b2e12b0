"""A table is dropped.

Its rows are gone, and every running version of the application that still reads it fails.

Instead of::

    DROP TABLE orders;

Use::

    ALTER TABLE orders RENAME TO orders_retired;

Not reported in down migrations, and for tables that are created in the same unapplied set or are
temporary. Take a backup, then silence the rule with a reason.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import list_name


def _check(context: Context, event: Event) -> Iterator[Hit]:
    node = event.node
    if node.get("removeType") != "OBJECT_TABLE" or event.routine is not None:
        return
    for wrapped in node.get("objects", ()):
        name = list_name(wrapped)
        table = context.schema.table(name)
        if table is not None and (context.is_new(table, event.source) or table.temporary):
            continue
        if table is None and node.get("missing_ok"):
            continue
        kept = (
            " (its name says that its rows must be kept)"
            if context.settings.is_retained(name[1])
            else ""
        )
        message = f'dropping table "{name[1]}" destroys its rows{kept}'
        advice = "Stop using it first, keep a copy, and drop it in a later release."
        yield Hit(event.statement, event.statement.start, message, advice, name[1])


RULE = Rule(
    id="ban-drop-table",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("DropStmt",),
    check=_check,
    needs="model",
)
