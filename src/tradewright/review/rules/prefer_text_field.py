"""A column is varchar(n) or char(n).

The length is a guess that a later migration must change. char(n) also pads with blanks. text with
a CHECK says the rule by name.

Instead of::

    CREATE TABLE users (id uuid PRIMARY KEY, name varchar(100) NOT NULL);

Use::

    CREATE TABLE users (id uuid PRIMARY KEY, name text NOT NULL);

Not reported more than once per table; the finding counts the columns.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule


def _check(_: Context, event: Event) -> Iterator[Hit]:
    table = event.table
    if table is None or table.partition_of:
        return
    short = [c for c in table.columns.values() if c.type in {"varchar", "char"} and c.modifiers]
    if short:
        more = f" and {len(short) - 1} more" if len(short) > 1 else ""
        message = (
            f'"{table.full_name}.{short[0].name}"{more} has a fixed length: {short[0].type_text}'
        )
        advice = "Use text, with a CHECK where the length matters."
        yield Hit(event.statement, short[0].offset, message, advice, table.full_name)


RULE = Rule(
    id="prefer-text-field",
    severity=Severity.INFO,
    category=Category.MAINTAINABILITY,
    kinds=("table",),
    check=_check,
)
