"""A migration has no down file, although others have one.

When the release must be taken back, this one stops the way back, at the worst hour.

Instead of::

    -- 004_add_orders.sql, and no 004_add_orders.down.sql

Use::

    -- 004_add_orders.sql and 004_add_orders.down.sql

Not reported when no migration of the folder has a down (the project only goes forward), in
layouts without downs (Flyway without U files, prisma), and for repeatable files. The setting
`require_down` decides otherwise. <!-- examples: prose -->
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.source.text import Statement


def _check(context: Context, _: Event) -> Iterator[Hit]:
    required = context.settings.require_down
    if required is False:
        return
    ups = [r for r in context.ups() if not r.source.repeatable]
    with_down = sum(reading.source.has_down for reading in ups)
    if not required and with_down == 0:
        return
    for reading in ups:
        source = reading.source
        if not source.has_down and reading.statements:
            place = Statement(source, "file", "", 0, 0)
            message = f'"{source.label}" has no down migration'
            advice = "Write one, or say why it cannot be taken back in an ignore comment."
            yield Hit(place, 0, message, advice, source.label)


RULE = Rule(
    id="down-missing",
    severity=Severity.MINOR,
    category=Category.MAINTAINABILITY,
    kinds=("schema",),
    check=_check,
)
