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
from functools import partial

from tradewright.review.lock_levels import LOCKING, exclusive_locks
from tradewright.review.model import Category, Edit, Severity
from tradewright.review.rewrite.spans import skip_blank
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.source.statements import Reading
from tradewright.review.transactions import in_transaction


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
        hit = Hit(statement, statement.start, message, advice, event.source.label, fix)
        hit.fix = partial(_fixed, context, reading)
        yield hit


def _fixed(context: Context, reading: Reading) -> Iterator[Edit]:
    """Set the timeout before the first statement, for the transaction where there is one."""
    source, first = reading.source, reading.statements[0]
    start = skip_blank(source.data, first.start)
    local = "LOCAL " if in_transaction(context, first) else ""
    yield Edit(source.path, start, start, f"SET {local}lock_timeout = '5s';\n")


RULE = Rule(
    id="require-lock-timeout",
    severity=Severity.INFO,
    category=Category.AVAILABILITY,
    kinds=("file",),
    check=_check,
    of=LOCKING,
    needs="model",
    fixable=True,
)
