"""A column that a view reads is dropped, or its type is changed.

PostgreSQL refuses both as long as the view stands; with CASCADE the view disappears with it.

Instead of::

    CREATE TABLE users (id uuid PRIMARY KEY, name text);
    CREATE VIEW names AS SELECT name FROM users;
    ALTER TABLE users DROP COLUMN name;

Use::

    CREATE TABLE users (id uuid PRIMARY KEY, name text);
    CREATE VIEW names AS SELECT name FROM users;
    DROP VIEW names;
    ALTER TABLE users DROP COLUMN name;

Not reported when the view is dropped before, or does not name the column.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Relation, Table


def _check(context: Context, event: Event) -> Iterator[Hit]:
    table, column = event.table, event.node.get("name", "")
    if table is None:
        return
    for view in context.schema.tables.values():
        if view.query is None or view.relation is Relation.TABLE:
            continue
        if (table.schema, table.name) in view.reads and _reads(view, table, column):
            verb = "dropped" if event.kind == "AT_DropColumn" else "changed in type"
            message = (
                f'column "{table.full_name}.{column}" cannot be {verb} while {view.relation} '
                f'"{view.full_name}" reads it'
            )
            advice = f"Drop {view.relation} {view.full_name} before, and create it again after."
            yield Hit(
                event.statement,
                event.statement.start,
                message,
                advice,
                f"{table.full_name}.{column}",
            )


def _reads(view: Table, table: Table, column: str) -> bool:
    """Count a bare name for the view's table that has such a column."""
    return column in view.read_columns or ("*" in view.read_columns and column in table.columns)


RULE = Rule(
    id="drop-column-used-by-view",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=("AT_DropColumn", "AT_AlterColumnType"),
    check=_check,
    needs="model",
)
