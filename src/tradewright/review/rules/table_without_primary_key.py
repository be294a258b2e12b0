"""A table has no primary key.

Its rows cannot be named: duplicates cannot be told apart or deleted singly, foreign keys cannot
point at them, and logical replication refuses their updates.

Instead of::

    CREATE TABLE payments (amount numeric(20, 8) NOT NULL, currency text NOT NULL);

Use::

    CREATE TABLE payments (
        id uuid PRIMARY KEY DEFAULT uuidv7(),
        amount numeric(20, 8) NOT NULL,
        currency text NOT NULL
    );

Not reported when the key comes by a later ALTER TABLE or from a partitioned parent, and for
temporary tables, CREATE TABLE AS and tables whose columns are not all known.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Relation


def _check(context: Context, _: Event) -> Iterator[Hit]:
    for table in context.schema.tables.values():
        if table.relation is not Relation.TABLE or table.temporary or table.partition_of:
            continue
        if table.columns_known and table.columns and not table.primary_key:
            message = f'table "{table.full_name}" has no primary key'
            advice = "Give it one: id uuid PRIMARY KEY DEFAULT uuidv7()."
            start = table.statement.start
            yield Hit(table.statement, start, message, advice, table.full_name)


RULE = Rule(
    id="table-without-primary-key",
    severity=Severity.MAJOR,
    category=Category.CONSTRAINTS,
    kinds=("schema",),
    check=_check,
    needs="model",
)
