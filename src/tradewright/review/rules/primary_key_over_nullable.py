"""A prepared index becomes the primary key of a column that may be NULL.

USING INDEX is meant to cost nothing, because the index stands. But a primary key's columns are NOT
NULL, so PostgreSQL reads the whole table to look for a NULL, under ACCESS EXCLUSIVE: two million
rows kept everybody out for 315 ms, and 0.4 ms where the column was NOT NULL already.

Instead of::

    CREATE TABLE accounts (number bigint);
    CREATE UNIQUE INDEX accounts_number ON accounts (number);
    ALTER TABLE accounts ADD CONSTRAINT accounts_pkey PRIMARY KEY USING INDEX accounts_number;

Use::

    CREATE TABLE accounts (number bigint NOT NULL);
    CREATE UNIQUE INDEX accounts_number ON accounts (number);
    ALTER TABLE accounts ADD CONSTRAINT accounts_pkey PRIMARY KEY USING INDEX accounts_number;

For a table with rows: add CHECK (number IS NOT NULL) NOT VALID, validate it in a later file, and
SET NOT NULL after that; it then reads nothing.

Not reported when the columns are NOT NULL, and for tables created in the same unapplied set.
<!-- examples: prose -->
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule


def _check(context: Context, event: Event) -> Iterator[Hit]:
    table, key = event.table, event.node.get("def", {}).get("Constraint", {})
    if key.get("contype") != "CONSTR_PRIMARY" or "indexname" not in key:
        return
    if table is None or context.is_new(table, event.source):
        return
    index = next((each for each in table.indexes if each.name == key["indexname"]), None)
    columns = [table.columns.get(name) for name in index.columns] if index else []
    nullable = [each.name for each in columns if each is not None and not each.not_null]
    if nullable:
        shown = ", ".join(nullable)
        message = (
            f'the primary key reads all of "{table.full_name}" under an exclusive lock, '
            f"because {shown} may be NULL"
        )
        advice = "Add CHECK (... IS NOT NULL) NOT VALID, validate it, and SET NOT NULL before."
        yield Hit(event.statement, event.statement.start, message, advice, table.full_name)


RULE = Rule(
    id="primary-key-over-nullable",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("AT_AddConstraint",),
    check=_check,
    needs="model",
)
