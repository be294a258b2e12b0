"""A value is added to an enum and used in the same transaction.

PostgreSQL refuses to use a new value before the transaction that added it has committed
("unsafe use of new value").

Instead of::

    ALTER TYPE order_status ADD VALUE 'expired';
    UPDATE orders SET status = 'expired' WHERE status = 'open';

Use::

    ALTER TYPE order_status ADD VALUE 'expired';

Not reported when the type is created in the same transaction, or the value is used in a later
file.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import find, strings
from tradewright.review.source.text import Statement
from tradewright.review.transactions import in_transaction


def _check(context: Context, event: Event) -> Iterator[Hit]:
    reading = event.reading
    if reading is None:
        return
    added: dict[str, str] = {}
    created: set[str] = set()
    for statement in reading.statements:
        node = statement.node
        if statement.kind == "CreateEnumStmt":
            created.update(strings(node.get("typeName"))[-1:])
        elif statement.kind == "AlterEnumStmt" and "oldVal" not in node:
            name = strings(node.get("typeName"))[-1]
            if name not in created and in_transaction(context, statement):
                added[node.get("newVal", "")] = name
        elif added:
            yield from _uses(statement, added)


def _uses(statement: Statement, added: dict[str, str]) -> Iterator[Hit]:
    for constant in find(statement.node, "A_Const"):
        value = constant.get("sval", {}).get("sval")
        if value in added:
            message = (
                f"value '{value}' of enum \"{added[value]}\" is used in the transaction that adds "
                "it, which PostgreSQL refuses"
            )
            advice = "Add the value in a migration of its own, and use it in the next one."
            yield Hit(
                statement, statement.place(constant), message, advice, f"{added[value]}.{value}"
            )


RULE = Rule(
    id="enum-value-used-in-same-transaction",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=("file",),
    check=_check,
    of=frozenset({"AlterEnumStmt"}),
)
