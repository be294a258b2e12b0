"""A table or a column is renamed.

At the moment of the rename, every running version of the application that uses the old name
fails.

Instead of::

    ALTER TABLE orders RENAME COLUMN note TO remark;

Use::

    ALTER TABLE orders ADD COLUMN remark text;

Not reported in down migrations, for tables created in the same unapplied set, and for indexes and
constraints, whose names no query holds.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import range_name

_KINDS = {"OBJECT_TABLE": "table", "OBJECT_COLUMN": "column", "OBJECT_VIEW": "view"}


def _check(context: Context, event: Event) -> Iterator[Hit]:
    node = event.node
    kind = _KINDS.get(node.get("renameType", ""))
    if kind is None or event.body is not None:
        return
    table = context.schema.table(range_name(node.get("relation")))
    if table is not None and context.is_new(table, event.source):
        return
    shown = range_name(node.get("relation"))[1]
    name = f"{shown}.{node.get('subname', '')}" if kind == "column" else shown
    message = f'renaming {kind} "{name}" breaks whatever still uses the old name'
    advice = "Add the new one beside it, move the readers over, then drop the old one."
    yield Hit(event.statement, event.statement.start, message, advice, name)


RULE = Rule(
    id="renaming-object",
    severity=Severity.MINOR,
    category=Category.AVAILABILITY,
    kinds=("RenameStmt",),
    check=_check,
    needs="model",
)
