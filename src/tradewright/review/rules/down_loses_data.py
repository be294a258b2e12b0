"""A down migration destroys rows or values.

Going back drops tables or columns that hold what was written since. The finding says what is
lost, so that it is decided and not discovered.

Instead of::

    -- down: DROP TABLE payment_transactions;

Use::

    -- down: a copy first, or a note that says why the loss is accepted

Not reported when only indexes, views, functions, constraints or empty look-up tables go, and for
tables whose rows need not be kept (the setting `retained`). <!-- examples: prose -->
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import find, list_name, range_name
from tradewright.review.source.text import Statement


def _check(context: Context, _: Event) -> Iterator[Hit]:
    for reading in context.downs():
        for statement in reading.statements:
            lost = [
                n for n in _lost(statement) if context.settings.is_retained(n.partition(".")[0])
            ]
            if lost:
                names = ", ".join(lost)
                message = f"going back loses {names}, which must be kept"
                advice = "Copy it to an archive first, or say in an ignore comment why it may go."
                yield Hit(statement, statement.start, message, advice, names)


def _lost(statement: Statement) -> Iterator[str]:
    node = statement.node
    if statement.kind == "DropStmt" and node.get("removeType") == "OBJECT_TABLE":
        yield from (list_name(wrapped)[1] for wrapped in node.get("objects", ()))
    elif statement.kind == "AlterTableStmt":
        table = range_name(node.get("relation"))[1]
        for command in find(node.get("cmds", []), "AlterTableCmd"):
            if command.get("subtype") == "AT_DropColumn":
                yield f"{table}.{command.get('name', '')}"


RULE = Rule(
    id="down-loses-data",
    severity=Severity.INFO,
    category=Category.MAINTAINABILITY,
    kinds=("schema",),
    check=_check,
)
