"""A migration that changes a table's definition also updates its rows.

The exclusive lock of ALTER TABLE is held while all rows are written: the table is out of reach for
as long as that takes.

Instead of::

    ALTER TABLE orders ADD COLUMN book text;
    UPDATE orders SET book = 'b' WHERE book IS NULL;

Use::

    ALTER TABLE orders ADD COLUMN book text NOT NULL DEFAULT 'b';

Not reported when the file runs outside a transaction, the rows are named by a key, or the table
is created in the same unapplied set.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import column_refs, range_name, strings
from tradewright.review.source.text import Statement
from tradewright.review.transactions import in_transaction


def _check(context: Context, event: Event) -> Iterator[Hit]:
    if event.reading is None:
        return
    altered: set[str] = set()
    for statement in event.reading.statements:
        if statement.kind not in {"AlterTableStmt", "UpdateStmt", "DeleteStmt"}:
            continue
        name = range_name(statement.node.get("relation"))[1]
        if statement.kind == "AlterTableStmt":
            altered.add(name)
        elif name in altered:
            table = context.schema.table(("", name))
            if table is not None and context.is_new(table, event.source):
                continue
            if in_transaction(context, statement) and not _by_key(statement):
                message = f'rows of "{name}" are changed while ALTER TABLE keeps it locked'
                advice = "Change the rows in a later file, in batches."
                yield Hit(statement, statement.start, message, advice, name)


def _by_key(statement: Statement) -> bool:
    where = statement.node.get("whereClause", {}).get("A_Expr", {})
    left = [name for _, name in column_refs(where.get("lexpr", {}))]
    return left in (["id"], ["code"], ["name"]) and (strings(where.get("name")) == ["="])


RULE = Rule(
    id="unbatched-backfill",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("file",),
    check=_check,
    of=frozenset({"UpdateStmt", "DeleteStmt"}),
    needs="model",
)
