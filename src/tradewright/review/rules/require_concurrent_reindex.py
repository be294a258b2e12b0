"""REINDEX runs without CONCURRENTLY.

It blocks writes to the table, and reads that would use the index, until it is done.

Instead of::

    REINDEX TABLE orders;

Use::

    -- tradewright: no-transaction
    REINDEX TABLE CONCURRENTLY orders;

Not reported when CONCURRENTLY is given in either spelling.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import option, range_name


def _check(_: Context, event: Event) -> Iterator[Hit]:
    node = event.node
    if option(node.get("params"), "concurrently") is None:
        name = range_name(node.get("relation"))[1] or str(node.get("name", ""))
        message = f'REINDEX blocks every write to "{name}" until it is done'
        advice = "Add CONCURRENTLY, in a file that runs outside a transaction."
        yield Hit(event.statement, event.statement.start, message, advice, name)


RULE = Rule(
    id="require-concurrent-reindex",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("ReindexStmt",),
    check=_check,
)
