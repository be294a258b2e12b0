"""A file that runs outside a transaction cannot be run again after it broke off.

Its first statements stay when a later one fails. The next try then fails on the first statement,
because what it creates is there.

Instead of::

    -- tradewright: no-transaction
    CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
    CREATE INDEX CONCURRENTLY idx_orders_symbol ON orders (symbol);

Use::

    -- tradewright: no-transaction
    CREATE TABLE IF NOT EXISTS orders (id uuid PRIMARY KEY, symbol text NOT NULL);
    CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_orders_symbol ON orders (symbol);

Not reported when the file runs in a transaction, holds one statement only, or guards each
statement (IF NOT EXISTS, OR REPLACE, a DROP IF EXISTS before).
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import list_name, range_name
from tradewright.review.source.text import Wrapping
from tradewright.review.transactions import in_transaction

_GUARDED = frozenset(
    {"CreateStmt", "IndexStmt", "CreateSchemaStmt", "CreateExtensionStmt", "CreateSeqStmt"}
)


def _check(context: Context, event: Event) -> Iterator[Hit]:
    reading = event.reading
    if reading is None or event.source.wrapping is not Wrapping.BARE or len(reading.statements) < 2:
        return
    dropped: set[str] = set()
    for statement in reading.statements:
        node = statement.node
        if statement.kind == "DropStmt":
            dropped.update(list_name(o)[1] for o in node.get("objects", ()))
            guarded = bool(node.get("missing_ok"))
        elif statement.kind in _GUARDED:
            name = node.get("idxname") or range_name(node.get("relation"))[1]
            guarded = bool(node.get("if_not_exists")) or name in dropped
        else:
            guarded = True
        if not guarded and not in_transaction(context, statement):
            message = "this fails when the file is run again after it broke off half-way"
            advice = "Guard it: IF NOT EXISTS, IF EXISTS, or a DROP IF EXISTS before."
            if statement.kind == "IndexStmt" and node.get("concurrent"):
                advice = "Drop it IF EXISTS before: IF NOT EXISTS would keep one that is INVALID."
            yield Hit(statement, statement.start, message, advice, event.source.label)
            return


RULE = Rule(
    id="not-idempotent",
    severity=Severity.MINOR,
    category=Category.MAINTAINABILITY,
    kinds=("file",),
    check=_check,
)
