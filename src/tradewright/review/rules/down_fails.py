"""A down migration fails on the schema that its own up made.

It was run right behind its up, and again, last file first, when all were applied. On the night it
is needed it will fail as well.

Instead of::

    -- 004_add_orders.down.sql
    DROP TABLE order;

Use::

    -- 004_add_orders.down.sql
    DROP TABLE orders;

Not reported when the up itself could not be applied, or the down could not be tried here.
<!-- examples: prose -->
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.prove.model import DownRefused
from tradewright.review.rule import Context, Event, Hit, Rule


def _check(_: Context, event: Event) -> Iterator[Hit]:
    fact = event.fact
    if not isinstance(fact, DownRefused):
        return
    when = "when all files are taken back" if fact.at_the_end else "right behind its up"
    message = f"this down fails {when}: {fact.word}"
    advice = "Drop what the up made, in the opposite order, by the same names."
    yield Hit(fact.statement, fact.offset, message, advice, event.source.label)


RULE = Rule(
    id="down-fails",
    severity=Severity.MAJOR,
    category=Category.MAINTAINABILITY,
    kinds=("prove-down-refused",),
    check=_check,
    needs="shadow",
)
