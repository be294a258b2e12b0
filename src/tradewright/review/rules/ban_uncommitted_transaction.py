"""A file begins a transaction and does not end it.

What follows depends on the runner: the changes are lost, or the connection goes back to the pool
with locks held.

Instead of::

    -- tradewright: no-transaction
    BEGIN;
    ALTER TABLE orders ADD COLUMN note text;

Use::

    -- tradewright: no-transaction
    BEGIN;
    ALTER TABLE orders ADD COLUMN note text;
    COMMIT;

Not reported when COMMIT or ROLLBACK follows.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.source.text import Statement
from tradewright.review.transactions import CLOSING, OPENING


def _check(_: Context, event: Event) -> Iterator[Hit]:
    if event.reading is None:
        return
    opened: Statement | None = None
    for statement in event.reading.statements:
        kind = statement.node.get("kind") if statement.kind == "TransactionStmt" else None
        if kind in OPENING:
            opened = statement
        elif kind in CLOSING:
            opened = None
    if opened is not None:
        message = "this transaction is never committed"
        advice = "End the file with COMMIT."
        yield Hit(opened, opened.start, message, advice, event.source.label)


RULE = Rule(
    id="ban-uncommitted-transaction",
    severity=Severity.CRITICAL,
    category=Category.AVAILABILITY,
    kinds=("file",),
    check=_check,
    of=frozenset({"TransactionStmt"}),
    downs=True,
)
