"""A name holds capital letters, so it must be quoted for ever.

Unquoted names are turned to small letters. Whoever forgets the quotes is told that the table does
not exist.

Instead of::

    CREATE TABLE "Users" (id uuid PRIMARY KEY);

Use::

    CREATE TABLE users (id uuid PRIMARY KEY);

Not reported more than once per table; in layouts of tools that quote all names (prisma) it is not
reported when they use capitals throughout.
"""

import re
from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule


def _check(_: Context, event: Event) -> Iterator[Hit]:
    table = event.table
    if table is None or event.source.layout == "prisma" or table.partition_of:
        return
    names = [table.name, *table.columns]
    loud = [name for name in names if name != name.lower()]
    if loud:
        more = f" and {len(loud) - 1} more" if len(loud) > 1 else ""
        whose = "their" if more else "its"
        message = f'"{loud[0]}"{more} must be quoted everywhere, because of {whose} capitals'
        fix = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", loud[0]).lower()
        start = event.statement.start
        yield Hit(event.statement, start, message, f"Call it {fix}.", table.full_name, fix)


RULE = Rule(
    id="mixed-case-name",
    severity=Severity.INFO,
    category=Category.MAINTAINABILITY,
    kinds=("table",),
    check=_check,
)
