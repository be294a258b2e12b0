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

Not reported when the same file adds a constraint of the same kind to the table, or drops the table,
a column of the constraint or the table it refers to; for a NOT NULL, in down migrations, and for
tables created in the same unapplied set.
<!-- examples: prose -->
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Constraint, ConstraintKind, Table
from tradewright.review.schema.tree import list_name, range_name
from tradewright.review.source.text import Statement


def _check(context: Context, event: Event) -> Iterator[Hit]:
    table = event.table
    if table is None or context.is_new(table, event.source):
        return
    name = str(event.node.get("name", ""))
    dropped = next((c for c in table.constraints if c.name == name), None)
    if dropped is None or dropped.kind is ConstraintKind.NOT_NULL:
        return
    reading = next(each for each in reversed(context.readings) if each.source is event.source)
    if not any(_settles(each, table, dropped) for each in reading.statements):
        yield _hit(table, dropped, event)


def _settles(statement: Statement, table: Table, dropped: Constraint) -> bool:
    """Return whether a statement of the file puts another in its place, or drops what it is about.

    That is its table, a column of it, or the table that it refers to.
    """
    if statement.kind == "DropStmt" and statement.node.get("removeType") == "OBJECT_TABLE":
        gone = {list_name(each)[1] for each in statement.node.get("objects", ())}
        return bool(gone & {table.name, dropped.target[1]})
    if statement.kind != "AlterTableStmt":
        return False
    if range_name(statement.node.get("relation"))[1] != table.name:
        return False
    if any(
        each.get("contype") == dropped.node.get("contype") for each in statement.nodes("Constraint")
    ):
        return True
    commands = [each["AlterTableCmd"] for each in statement.node.get("cmds", ())]
    return any(
        each.get("subtype") == "AT_DropColumn" and each.get("name") in dropped.columns
        for each in commands
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
