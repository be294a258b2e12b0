"""An index is built on an existing table without CONCURRENTLY.

CREATE INDEX takes a SHARE lock: no row of the table can be inserted, updated or deleted until the
index is built, minutes or hours for a large table.

Instead of::

    CREATE INDEX idx_orders_symbol ON orders (symbol);

Use::

    -- tradewright: no-transaction
    CREATE INDEX CONCURRENTLY idx_orders_symbol ON orders (symbol);

Not reported when the table is created in the same file or the same unapplied set (`--after`,
`--since`), or is partitioned and the index is made ON ONLY the parent, or has no partitions yet.
On a partitioned table CONCURRENTLY is refused: create the index ON ONLY the parent, build one on
each partition CONCURRENTLY, and attach each with ALTER INDEX ... ATTACH PARTITION.
"""

import re
from collections.abc import Iterator
from functools import partial

from tradewright.review.model import Category, Edit, Severity
from tradewright.review.rewrite.spans import found_within
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Table
from tradewright.review.schema.tree import range_name
from tradewright.review.source.text import Statement
from tradewright.review.transactions import in_transaction

_INDEX = re.compile(r"\bINDEX\b", re.IGNORECASE)
_ON = re.compile(r"\bON\s+(?!ONLY\b)", re.IGNORECASE)
_HARMLESS = frozenset({"IndexStmt", "CommentStmt"})
"""What may run statement by statement as well as in one transaction."""


def _check(context: Context, event: Event) -> Iterator[Hit]:
    node = event.node
    if node.get("concurrent") or event.routine is not None:
        return
    relation = node.get("relation", {})
    table = context.schema.table(range_name(relation))
    if table is not None and context.is_new(table, event.source):
        return
    if table is not None and table.partition_columns is not None:
        yield from _of_partitioned(context, event, table)
        return
    name = str(node.get("idxname", ""))
    shown = range_name(relation)[1]
    which = f'index "{name}"' if name else "an index"
    message = f'building {which} blocks every write to "{shown}" until it is done'
    advice = "Add CONCURRENTLY, in a file that runs outside a transaction."
    if event.body is not None:
        advice = "Take it out of the DO block, and a" + advice[1:]
    fix = _INDEX.sub("INDEX CONCURRENTLY", event.statement.text, count=1)
    hit = Hit(event.statement, event.statement.start, message, advice, name or shown, f"{fix};")
    hit.fix = partial(_fixed, context, event.statement)
    yield hit


def _of_partitioned(context: Context, event: Event, table: Table) -> Iterator[Hit]:
    """Report an index that is built on every partition that stood before, all in one."""
    key = (table.schema, table.name)
    parts = [each for each in context.schema.tables.values() if each.partition_of == key]
    if not event.node.get("relation", {}).get("inh") or not parts:
        return
    if all(context.is_new(part, event.source) for part in parts):
        return
    name = str(event.node.get("idxname", "")) or table.name
    message = f'building index "{name}" blocks every write to all partitions of "{table.full_name}"'
    advice = (
        "Create it ON ONLY the parent, build one on each partition CONCURRENTLY, and attach those."
    )
    fix = _ON.sub("ON ONLY ", event.statement.text, count=1)
    yield Hit(event.statement, event.statement.start, message, advice, name, f"{fix};")


def _fixed(context: Context, statement: Statement) -> Iterator[Edit]:
    """Build it concurrently, where its file holds nothing else and needs no transaction."""
    source = statement.source
    reading = next(reading for reading in context.readings if reading.source is source)
    alone = all(each.kind in _HARMLESS for each in reading.statements) and not reading.refusals
    bare = source.layout == "tradewright" or not in_transaction(context, statement)
    if alone and bare and statement.node.get("idxname"):
        yield from found_within(
            statement, statement.start, r"\bINDEX\b", lambda _: "INDEX CONCURRENTLY"
        )


RULE = Rule(
    id="require-concurrent-index-creation",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("IndexStmt",),
    check=_check,
    needs="model",
    fixable=True,
)
