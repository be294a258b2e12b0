"""A file locks existing tables without setting lock_timeout.

A statement that waits for an exclusive lock makes every later query wait behind it. With a
timeout it gives up instead, and the runner tries again.

Instead of::

    ALTER TABLE orders ADD COLUMN note text;

Use::

    SET lock_timeout = '5s';
    ALTER TABLE orders ADD COLUMN note text;

Not reported when the file only touches what it creates, sets lock_timeout itself, or the setting
`timeouts_set` says that the runner does.
"""

from collections.abc import Iterator

from tradewright.review.lock_levels import LOCKING, exclusive_locks
from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule


def _check(context: Context, event: Event) -> Iterator[Hit]:
    reading = event.reading
    if (
        reading is None
        or context.settings.timeouts_set
        or event.source.layout in {"flyway", "tradewright"}
    ):
        return
    if "lock_timeout" in event.source.lowered:
        return
    locking = next(iter(exclusive_locks(context, reading)), None)
    if locking is not None:
        statement, table = locking
        message = f'this waits for an exclusive lock on "{table}" without lock_timeout'
        advice = "Set lock_timeout at the beginning of the file, or in the runner."
        fix = "SET lock_timeout = '5s';"
        yield Hit(statement, statement.start, message, advice, event.source.label, fix)


RULE = Rule(
    id="require-lock-timeout",
    severity=Severity.INFO,
    category=Category.AVAILABILITY,
    kinds=("file",),
    check=_check,
    of=LOCKING,
    needs="model",
)
