"""A transaction locks several existing tables against reads.

Each lock is held until the end. While the second is waited for, the first table is already out of
reach; two such transactions in another order wait for each other.

Instead of::

    ALTER TABLE users ADD COLUMN note text;
    ALTER TABLE orders ADD COLUMN note text;
    ALTER TABLE trades ADD COLUMN note text;

Use::

    ALTER TABLE users ADD COLUMN note text;

Not reported when two tables or fewer are locked, the tables are created in the same unapplied
set, or the file runs outside a transaction. Give each table a file of its own.
"""

from collections.abc import Iterator

from tradewright.review.lock_levels import LOCKING, exclusive_locks
from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.source.text import Statement
from tradewright.review.transactions import in_transaction

_TABLES_MAX = 2


def _check(context: Context, event: Event) -> Iterator[Hit]:
    reading = event.reading
    if reading is None:
        return
    locked: dict[str, Statement] = {}
    for statement, table in exclusive_locks(context, reading):
        if in_transaction(context, statement):
            locked.setdefault(table, statement)
    if len(locked) > _TABLES_MAX:
        names = ", ".join(locked)
        last = list(locked.values())[-1]
        message = f"one transaction holds exclusive locks on {len(locked)} tables: {names}"
        advice = "Give each table a file of its own."
        yield Hit(last, last.start, message, advice, event.source.label)


RULE = Rule(
    id="many-exclusive-locks",
    severity=Severity.MINOR,
    category=Category.AVAILABILITY,
    kinds=("file",),
    check=_check,
    of=LOCKING,
    needs="model",
)
