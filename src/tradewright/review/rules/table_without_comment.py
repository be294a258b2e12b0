"""A table has no comment, in a schema that comments its tables.

COMMENT ON is what a person sees first in psql and in every tool. One table without it reads as if
it were forgotten.

Instead of::

    CREATE TABLE users (id uuid PRIMARY KEY);
    CREATE TABLE orders (id uuid PRIMARY KEY);
    CREATE TABLE trades (id uuid PRIMARY KEY);
    COMMENT ON TABLE users IS 'People.';
    COMMENT ON TABLE orders IS 'What they asked for.';

Use::

    CREATE TABLE users (id uuid PRIMARY KEY);
    CREATE TABLE orders (id uuid PRIMARY KEY);
    COMMENT ON TABLE users IS 'People.';
    COMMENT ON TABLE orders IS 'What they asked for.';

Not reported when fewer than half of the tables have a comment: then it is not the project's
custom.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Relation


def _check(context: Context, _: Event) -> Iterator[Hit]:
    tables = [
        table
        for table in context.schema.tables.values()
        if table.relation is Relation.TABLE and not table.partition_of and not table.temporary
    ]
    commented = sum(table.commented for table in tables)
    if commented * 2 <= len(tables):
        return
    for table in tables:
        if not table.commented:
            message = f'table "{table.full_name}" has no comment; {commented} others do'
            fix = f"COMMENT ON TABLE {table.full_name} IS '...';"
            start = table.statement.start
            yield Hit(table.statement, start, message, "Say what a row is.", table.full_name, fix)


RULE = Rule(
    id="table-without-comment",
    severity=Severity.INFO,
    category=Category.MAINTAINABILITY,
    kinds=("schema",),
    check=_check,
    needs="model",
)
