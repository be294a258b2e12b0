"""A statement is too large to be reviewed.

Statements of more than a megabyte are seed data, as a rule. They are not parsed, so nothing is
known of what they do, and they make a migration slow and its log large.

Instead of::

    -- INSERT INTO instruments VALUES (...), and a million characters more

Use::

    -- several statements, or COPY from a file outside of the migrations

Not reported when the statement is below a megabyte. <!-- examples: prose -->
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule


def _check(_: Context, event: Event) -> Iterator[Hit]:
    advice = "Load large data outside of the migrations, or divide the statement."
    yield Hit(
        event.statement, event.statement.start, event.node["message"], advice, event.source.label
    )


RULE = Rule(
    id="unread-statement",
    severity=Severity.INFO,
    category=Category.MAINTAINABILITY,
    kinds=("unread",),
    check=_check,
)
