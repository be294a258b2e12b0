"""A file keeps readers and writers from existing tables until its transaction ends.

This is what the session really held on the shadow. Most of these locks are short; they hurt when
the file does something slow behind them, or waits for them behind a long query, with everybody
else queueing up.

Instead of::

    -- 002_note.sql
    ALTER TABLE orders ADD COLUMN note text;
    UPDATE orders SET note = '' WHERE note IS NULL;

Use::

    -- 002_note.sql, and the rows are filled later, in batches
    ALTER TABLE orders ADD COLUMN note text DEFAULT '';

Not reported when the table is made by the same file, or the same unapplied set, for files
outside a transaction, or when the read stage reports a lock in the same file.
<!-- examples: prose -->
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.prove.model import Locked
from tradewright.review.rule import Context, Event, Hit, Rule

NAMES_MAX = 5


def _check(context: Context, event: Event) -> Iterator[Hit]:
    fact = event.fact
    names = context.standing(fact.tables, event.source) if isinstance(fact, Locked) else []
    if not isinstance(fact, Locked) or not names:
        return
    told = ", ".join(names[:NAMES_MAX])
    more = f" and {len(names) - NAMES_MAX} more" if len(names) > NAMES_MAX else ""
    message = f"from here to its end this file holds ACCESS EXCLUSIVE on {told}{more}"
    advice = "Keep the file short, and give it a lock_timeout."
    yield Hit(fact.statement, fact.statement.start, message, advice, event.source.label)


RULE = Rule(
    id="takes-access-exclusive",
    severity=Severity.INFO,
    category=Category.AVAILABILITY,
    kinds=("prove-locked",),
    check=_check,
    needs="shadow",
)
