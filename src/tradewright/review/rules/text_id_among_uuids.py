"""A key, or a column that points at one, is text where the neighbours use uuid.

Such keys cannot be referred to by the uuid columns of the other tables, take more room, and admit
anything: an e-mail, an empty string, the same uuid in two spellings.

Instead of::

    CREATE TABLE users (id uuid PRIMARY KEY);
    CREATE TABLE payments (id varchar(64) PRIMARY KEY);

Use::

    CREATE TABLE users (id uuid PRIMARY KEY);
    CREATE TABLE payments (id uuid PRIMARY KEY DEFAULT uuidv7());

Not reported when fewer than half of the tables use uuid, and for keys that are not called id:
codes of currencies or countries are good text keys.
"""

from collections.abc import Iterator
from functools import partial

from tradewright.review.meaning import TEXTS, referred_table
from tradewright.review.model import Category, Edit, Severity
from tradewright.review.rewrite.spans import is_made_here, retyped, routines_naming
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Column, Relation, Table


def _check(context: Context, _: Event) -> Iterator[Hit]:
    keys = [
        (table, table.columns["id"])
        for table in context.schema.tables.values()
        if table.relation is Relation.TABLE and "id" in table.columns and not table.partition_of
    ]
    uuids = [column for _, column in keys if column.type == "uuid"]
    texts = [(table, column) for table, column in keys if column.type in TEXTS]
    elsewhere = {id(column.statement.source) for column in uuids}
    if not uuids or (len(uuids) < len(texts) and len(elsewhere) < 2):
        return
    for table, column in texts:
        yield _hit(context, table, column)
    for table in context.schema.tables.values():
        if table.relation is Relation.TABLE and not table.partition_of:
            yield from (_hit(context, table, c) for c in _pointing(context, table))


def _pointing(context: Context, table: Table) -> Iterator[Column]:
    """Yield the text columns that speak of a table whose key is a uuid."""
    for column in table.columns.values():
        if column.type in TEXTS:
            target = referred_table(column, context.schema)
            key = target.columns.get("id") if target is not None else None
            if key is not None and key.type == "uuid" and target is not table:
                yield column


def _fixed(context: Context, table: Table, column: Column) -> Iterator[Edit]:
    """Make the column a uuid, unless the parameters of a routine would not fit it."""
    if is_made_here(context, column, table) and not routines_naming(context, table.name):
        yield from retyped(column, "uuid")


def _hit(context: Context, table: Table, column: Column) -> Hit:
    name = f"{table.full_name}.{column.name}"
    message = f'"{name}" is {column.type_text} where the other tables use uuid'
    fix = f"{column.name} uuid PRIMARY KEY DEFAULT uuidv7()" if column.name == "id" else ""
    hit = Hit(column.statement, column.offset, message, "Use uuid.", name, fix)
    hit.fix = partial(_fixed, context, table, column)
    return hit


RULE = Rule(
    id="text-id-among-uuids",
    severity=Severity.MAJOR,
    category=Category.CONSTRAINTS,
    kinds=("schema",),
    check=_check,
    needs="model",
    fixable=True,
)
