"""A version is missing between two migrations.

A file may have been forgotten in a commit, or removed after others had applied it.

Instead of::

    -- 001_init.sql and 003_orders.sql

Use::

    -- 001_init.sql and 002_orders.sql

Not reported when versions are dates or times, or when many are missing (more than a third).
<!-- examples: prose -->
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.source.text import Source, Statement

_DATE_MIN = 100_000


def _check(context: Context, _: Event) -> Iterator[Hit]:
    found: dict[int, Source] = {}
    for reading in context.ups():
        version = reading.source.version
        if version[0] == 0 and len(version) == 3 and isinstance(version[1], int):
            found[version[1]] = reading.source
    numbers = sorted(found)
    if len(numbers) < 2 or numbers[-1] > _DATE_MIN:
        return
    missing = sorted(set(range(numbers[0], numbers[-1])) - set(numbers))
    if len(missing) > len(numbers) // 2:
        return
    for gap in missing:
        source = found[min(number for number in numbers if number > gap)]
        place = Statement(source, "file", "", 0, 0)
        message = f"version {gap} is missing before this file"
        advice = "Check that no file was left out of the commit."
        yield Hit(place, 0, message, advice, f"version {gap}")


RULE = Rule(
    id="version-gap",
    severity=Severity.INFO,
    category=Category.MAINTAINABILITY,
    kinds=("schema",),
    check=_check,
)
