"""A column is serial.

A serial's sequence is an object of its own: its rights must be granted apart, and INSERT with a
value of one's own goes unnoticed until the sequence arrives there.

Instead of::

    CREATE TABLE events (id bigserial PRIMARY KEY);

Use::

    CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);

Not reported when the column is an identity.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule


def _check(_: Context, event: Event) -> Iterator[Hit]:
    column, table = event.column, event.table
    if column is not None and table is not None and column.type.endswith("serial"):
        name = f"{table.full_name}.{column.name}"
        fix = f"{column.name} bigint GENERATED ALWAYS AS IDENTITY"
        message = f'"{name}" is {column.type}'
        yield Hit(event.statement, column.offset, message, "Use an identity column.", name, fix)


RULE = Rule(
    id="prefer-identity",
    severity=Severity.INFO,
    category=Category.MAINTAINABILITY,
    kinds=("column",),
    check=_check,
    of=frozenset({"serial", "bigserial", "smallserial"}),
)
