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

A table with a unique key over columns that are NOT NULL, as ORMs make them for their links, is told
as minor.

Not reported when the key comes by a later ALTER TABLE or from a partitioned parent, and for
temporary tables, CREATE TABLE AS and tables whose columns are not all known.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Relation, Table


def _check(context: Context, _: Event) -> Iterator[Hit]:
    for table in context.schema.tables.values():
        if table.relation is not Relation.TABLE or table.temporary or table.partition_of:
            continue
        if table.columns_known and table.columns and not table.primary_key:
            message = f'table "{table.full_name}" has no primary key'
            advice = "Give it one: id uuid PRIMARY KEY DEFAULT uuidv7()."
            start = table.statement.start
            hit = Hit(table.statement, start, message, advice, table.full_name)
            if _has_key(table):
                hit.severity = Severity.MINOR
                hit.advice = "Make its unique key the primary key: nothing else is missing."
            yield hit


def _has_key(table: Table) -> bool:
    """Return whether a unique key tells every row from the others, as a primary key would."""
    columns = table.columns
    return any(
        key and all(name in columns and columns[name].not_null for name in key)
        for key in table.unique_keys()
    )


RULE = Rule(
    id="table-without-primary-key",
    severity=Severity.MAJOR,
    category=Category.CONSTRAINTS,
    kinds=("schema",),
    check=_check,
    needs="model",
)
