"""A column is json, which has no equality.

SELECT DISTINCT, GROUP BY, UNION and = fail on a json column, often in a query that someone else
wrote: `could not identify an equality operator for type json`. jsonb has them, can be indexed, and
is not parsed anew at each reading.

Instead of::

    CREATE TABLE events (id uuid PRIMARY KEY, body json NOT NULL);

Use::

    CREATE TABLE events (id uuid PRIMARY KEY, body jsonb NOT NULL);

Not reported for jsonb. Where the text must stay byte by byte as it came, as for a signed message,
keep json and ignore this.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule


def _check(_: Context, event: Event) -> Iterator[Hit]:
    if event.table is None or event.column is None or event.table.partition_of:
        return
    name = f"{event.table.full_name}.{event.column.name}"
    message = f'column "{name}" is json, which has no equality: DISTINCT and GROUP BY fail on it'
    fix = f"{event.column.name} jsonb"
    yield Hit(event.statement, event.column.offset, message, "Use jsonb.", name, fix)


RULE = Rule(
    id="json-column",
    severity=Severity.MINOR,
    category=Category.MAINTAINABILITY,
    kinds=("column",),
    check=_check,
    of=frozenset({"json"}),
)
