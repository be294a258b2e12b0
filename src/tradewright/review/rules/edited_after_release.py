"""A migration was changed after the revision it is compared with.

Where it was applied before, the change never arrives; where it is applied for the first time, the
schema differs from all the others. Runners that keep checksums refuse to go on.

Instead of::

    -- a change in 001_init.sql, which production ran last year

Use::

    -- the same change in 014_add_note.sql

Not reported when no revision is given by `--since`, or the file is new since then. Repeatable
migrations are meant to be edited. <!-- examples: prose -->
"""

from collections.abc import Iterator
from pathlib import Path

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule


def _check(context: Context, event: Event) -> Iterator[Hit]:
    if not context.edited or event.source.repeatable:
        return
    if str(Path(event.source.path).resolve()) in context.edited:
        message = f'"{event.source.label}" was changed after it was released'
        advice = "Put the change into a new migration."
        yield Hit(event.statement, 0, message, advice, event.source.label)


RULE = Rule(
    id="edited-after-release",
    severity=Severity.CRITICAL,
    category=Category.MAINTAINABILITY,
    kinds=("file",),
    check=_check,
)
