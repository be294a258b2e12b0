"""DROP or TRUNCATE runs with CASCADE.

CASCADE takes along whatever depends on the object: views, foreign keys, and with TRUNCATE the
rows of every table that refers to this one. What that is shows only on the server where it runs.

Instead of::

    TRUNCATE users CASCADE;

Use::

    TRUNCATE sessions, users;

Not reported in down migrations, and for what the same unapplied set creates.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import list_name, range_name


def _check(context: Context, event: Event) -> Iterator[Hit]:
    node = event.node
    if node.get("behavior") != "DROP_CASCADE" or (
        event.kind == "DropStmt" and (node.get("removeType") in {"OBJECT_SCHEMA", "OBJECT_TRIGGER"})
    ):
        return
    if event.kind == "TruncateStmt":
        names = [range_name(r.get("RangeVar")) for r in node.get("relations", ())]
        message = "TRUNCATE CASCADE empties every table that refers to {}"
    else:
        names = [list_name(o) for o in node.get("objects", ())]
        message = "DROP CASCADE takes along whatever depends on {}"
    tables = [context.schema.table(name) for name in names]
    if tables and all(t is not None and context.is_new(t, event.source) for t in tables):
        return
    shown = ", ".join(name[1] for name in names)
    severity = Severity.CRITICAL if event.kind == "TruncateStmt" else None
    yield Hit(
        event.statement,
        event.statement.start,
        message.format(f'"{shown}"'),
        "Name each object that is to go.",
        shown,
        severity=severity,
    )


RULE = Rule(
    id="ban-cascade",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("DropStmt", "TruncateStmt"),
    check=_check,
    needs="model",
)
