"""A whole database or schema is dropped.

Everything in it is gone; DROP DATABASE cannot even run in a transaction.

Instead of::

    DROP SCHEMA app CASCADE;

Use::

    REVOKE ALL ON SCHEMA app FROM PUBLIC;

Not reported in down migrations.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import list_name


def _check(_: Context, event: Event) -> Iterator[Hit]:
    if event.kind == "DropdbStmt":
        name = str(event.node.get("dbname", ""))
    elif event.node.get("removeType") == "OBJECT_SCHEMA":
        name = ", ".join(list_name(o)[1] for o in event.node.get("objects", ()))
    else:
        return
    message = f'dropping "{name}" destroys everything in it'
    yield Hit(
        event.statement, event.statement.start, message, "Do it by hand, after a backup.", name
    )


RULE = Rule(
    id="ban-drop-database",
    severity=Severity.CRITICAL,
    category=Category.AVAILABILITY,
    kinds=("DropStmt", "DropdbStmt"),
    check=_check,
)
