"""A constraint of an existing table is dropped.

What it kept true stops being true with the first row that breaks it, and it cannot come back
before such rows are found and mended.

Instead of::

    CREATE TABLE accounts (id uuid PRIMARY KEY);
    CREATE TABLE orders (id uuid PRIMARY KEY, account_id uuid NOT NULL,
        CONSTRAINT orders_account_exists FOREIGN KEY (account_id) REFERENCES accounts (id));
    -- in a later file
    ALTER TABLE orders DROP CONSTRAINT orders_account_exists;

Use::

    ALTER TABLE orders DROP CONSTRAINT orders_account_exists,
        ADD CONSTRAINT orders_account_exists FOREIGN KEY (account_id) REFERENCES accounts (id)
            ON DELETE RESTRICT NOT VALID;

Not reported when the same file adds a constraint of the same kind to the table, for a NOT NULL,
in down migrations, and for tables created in the same unapplied set.
<!-- examples: prose -->
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Constraint, ConstraintKind, Table
from tradewright.review.schema.tree import range_name


def _check(context: Context, event: Event) -> Iterator[Hit]:
    table = event.table
    if table is None or context.is_new(table, event.source):
        return
    name = str(event.node.get("name", ""))
    dropped = next((c for c in table.constraints if c.name == name), None)
    if dropped is None or dropped.kind is ConstraintKind.NOT_NULL:
        return
    if not _is_replaced(context, event, dropped):
        yield _hit(table, dropped, event)


def _is_replaced(context: Context, event: Event, dropped: Constraint) -> bool:
    """Return whether the file adds a constraint of the same kind to the table."""
    reading = next(each for each in reversed(context.readings) if each.source is event.source)
    table = range_name(event.statement.node.get("relation"))[1]
    return any(
        added.get("contype") == dropped.node.get("contype")
        for statement in reading.statements
        if statement.kind == "AlterTableStmt"
        and range_name(statement.node.get("relation"))[1] == table
        for added in statement.nodes("Constraint")
    )


def _hit(table: Table, dropped: Constraint, event: Event) -> Hit:
    shown = f"{table.full_name}.{dropped.name}"
    message = f'dropping {dropped.kind} "{shown}" lets in what it kept out'
    advice = "Put another in its place in the same file, or say why it is no longer true."
    return Hit(event.statement, event.statement.start, message, advice, shown)


RULE = Rule(
    id="dropping-constraint",
    severity=Severity.MINOR,
    category=Category.CONSTRAINTS,
    kinds=("AT_DropConstraint",),
    check=_check,
    needs="model",
)
