"""A command stands inside a transaction, or in a function, where PostgreSQL refuses it.

VACUUM, ALTER SYSTEM, CREATE and DROP DATABASE, CREATE and DROP TABLESPACE, ALTER DATABASE ... SET
TABLESPACE, REINDEX of a database or schema, CLUSTER without a table, DISCARD ALL, and CREATE
SUBSCRIPTION with a slot must stand alone. Most runners wrap each file in a transaction.

Instead of::

    ALTER TABLE orders ADD COLUMN note text;
    VACUUM (ANALYZE) orders;

Use::

    ALTER TABLE orders ADD COLUMN note text;
    ANALYZE orders;

Not reported when the file tells its runner to send it outside a transaction, which is done as for
`concurrently-in-transaction`.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.transactions import REFUSED_INSIDE, in_transaction, refused_inside


def _check(context: Context, event: Event) -> Iterator[Hit]:
    command, statement = refused_inside(event.kind, event.node), event.statement
    if not command:
        return
    if event.body is not None:
        message = f"{command} fails inside a function or a DO block"
    elif why := in_transaction(context, statement):
        message = f"{command} fails inside a transaction, and {why}"
    else:
        return
    advice = "Do it by hand, or in a file of its own that runs outside a transaction."
    if command == "VACUUM":
        advice = "Leave it to autovacuum, and use ANALYZE if only the statistics are needed."
    yield Hit(statement, statement.start, message, advice, command)


RULE = Rule(
    id="refused-in-transaction",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=tuple(REFUSED_INSIDE),
    check=_check,
    downs=True,
)
