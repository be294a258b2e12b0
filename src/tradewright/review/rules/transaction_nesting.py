"""A file that its runner wraps in a transaction has its own BEGIN and COMMIT.

The inner COMMIT ends the runner's transaction. Statements after it run on their own, and the
runner's record of the migration is no longer written together with it.

Instead of::

    -- migrate:up
    BEGIN;
    ALTER TABLE orders ADD COLUMN note text;
    COMMIT;

Use::

    -- migrate:up
    ALTER TABLE orders ADD COLUMN note text;

Not reported when the file tells its runner not to wrap it, the runner does not (sqitch,
golang-migrate), or nothing tells which runner it is: a numbered file without a way back that
begins and commits by itself is taken to be written for psql.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.source.text import Wrapping


def _check(_: Context, event: Event) -> Iterator[Hit]:
    reading = event.reading
    if reading is None or event.source.wrapping is not Wrapping.WRAPPED:
        return
    for statement in reading.statements:
        if statement.kind == "TransactionStmt" and "savepoint_name" not in statement.node:
            kind = statement.node.get("kind", "").rpartition("_")[2]
            message = f"{kind} in a file that the runner already wraps in a transaction"
            advice = "Remove it, or tell the runner not to wrap the file."
            yield Hit(statement, statement.start, message, advice, event.source.label)
            return


RULE = Rule(
    id="transaction-nesting",
    severity=Severity.MINOR,
    category=Category.AVAILABILITY,
    kinds=("file",),
    check=_check,
    of=frozenset({"TransactionStmt"}),
    downs=True,
)
