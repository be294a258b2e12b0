"""A column has the type timetz.

A time of day with a zone but without a date has no offset of its own: summer time decides, and
the date is missing. The SQL standard asks for it; PostgreSQL's manual advises against it.

Instead of::

    CREATE TABLE sessions (id uuid PRIMARY KEY, opens_at timetz NOT NULL);

Use::

    CREATE TABLE sessions (id uuid PRIMARY KEY, opens_at time NOT NULL, zone text NOT NULL);

Not reported when the type is time or timestamptz.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule


def _check(_: Context, event: Event) -> Iterator[Hit]:
    column, table = event.column, event.table
    if column is not None and table is not None and column.type == "timetz":
        name = f"{table.full_name}.{column.name}"
        message = f'column "{name}" is timetz, whose offset has no date to belong to'
        advice = "Use timestamptz for an instant, or time beside the name of a zone."
        yield Hit(event.statement, column.offset, message, advice, name)


RULE = Rule(
    id="time-with-time-zone",
    severity=Severity.MINOR,
    category=Category.TIME,
    kinds=("column",),
    check=_check,
    of=frozenset({"timetz"}),
)
