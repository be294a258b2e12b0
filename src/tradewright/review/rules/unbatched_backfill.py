"""A migration that changes a table's definition also updates its rows.

The exclusive lock of ALTER TABLE is held while all rows are written: the table is out of reach for
as long as that takes. So it is while rows of another table are written, which is told as minor.

Instead of::

    ALTER TABLE orders ADD COLUMN book text;
    UPDATE orders SET book = 'b' WHERE book IS NULL;

Use::

    ALTER TABLE orders ADD COLUMN book text NOT NULL DEFAULT 'b';

Not reported when the file runs outside a transaction, the rows are named by a key, or the table
is created in the same unapplied set.
"""

from collections.abc import Collection, Iterator

from tradewright.review.lock_levels import exclusive_locks
from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import column_refs, range_name, strings
from tradewright.review.source.statements import Reading
from tradewright.review.source.text import Statement
from tradewright.review.transactions import in_transaction


def _check(context: Context, event: Event) -> Iterator[Hit]:
    if event.reading is None:
        return
    altered: set[str] = set()
    for statement in event.reading.statements:
        if statement.kind == "AlterTableStmt":
            altered.add(range_name(statement.node.get("relation"))[1])
        elif statement.kind in {"UpdateStmt", "DeleteStmt"} and altered:
            yield from _changed_rows(context, event.reading, statement, altered)


def _changed_rows(
    context: Context, reading: Reading, statement: Statement, altered: Collection[str]
) -> Iterator[Hit]:
    """Report rows that are changed while their table, or another one, is locked."""
    name = range_name(statement.node.get("relation"))[1]
    table = context.schema.table(("", name))
    if table is not None and context.is_new(table, reading.source):
        return
    if not in_transaction(context, statement) or _by_key(statement):
        return
    advice = "Change the rows in a later file, in batches."
    if name in altered:
        message = f'rows of "{name}" are changed while ALTER TABLE keeps it locked'
        yield Hit(statement, statement.start, message, advice, name)
        return
    before = (
        locked
        for each, locked in exclusive_locks(context, reading)
        if each.start < statement.start and in_transaction(context, each)
    )
    other = next(before, None)
    if other is not None:
        message = f'rows of "{name}" are changed while "{other}" stays locked for everybody'
        severity = Severity.MINOR
        yield Hit(statement, statement.start, message, advice, name, severity=severity)


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
