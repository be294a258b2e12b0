"""A statement writes an existing table anew, row by row.

The shadow stored the table in another file afterwards. On a large table this takes minutes under
ACCESS EXCLUSIVE, with nobody reading or writing, and as much disk again.

Instead of::

    -- 002_tick.sql
    ALTER TABLE orders ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();

Use::

    -- 002_tick.sql
    ALTER TABLE orders ADD COLUMN token uuid;
    ALTER TABLE orders ALTER COLUMN token SET DEFAULT gen_random_uuid();

Not reported when the table is made by the same file, or the same unapplied set; when it is only
emptied (TRUNCATE, REFRESH); or when the read stage reports the statement for this very reason.
<!-- examples: prose -->
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.prove.model import Rewritten
from tradewright.review.rule import Context, Event, Hit, Rule


def _check(context: Context, event: Event) -> Iterator[Hit]:
    fact = event.fact
    if not isinstance(fact, Rewritten):
        return
    for name in context.standing(fact.tables, event.source):
        message = f'this rewrites every row of "{name}", shutting out readers and writers meanwhile'
        advice = "Add the new form beside the old, fill it in batches, then switch over."
        yield Hit(fact.statement, fact.statement.start, message, advice, name)


RULE = Rule(
    id="rewrites-table",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("prove-rewritten",),
    check=_check,
    needs="shadow",
)
