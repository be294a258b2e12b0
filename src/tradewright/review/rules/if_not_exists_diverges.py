"""A second CREATE TABLE IF NOT EXISTS describes the table differently.

The second statement does nothing, without a word. Everything that its author meant to add is
missing, and the next file that uses it fails.

Instead of::

    CREATE TABLE IF NOT EXISTS users (id uuid PRIMARY KEY);
    CREATE TABLE IF NOT EXISTS users (id uuid PRIMARY KEY, email text NOT NULL);

Use::

    CREATE TABLE IF NOT EXISTS users (id uuid PRIMARY KEY);
    ALTER TABLE users ADD COLUMN email text;

Not reported when both name the same columns.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import find, range_name


def _check(context: Context, event: Event) -> Iterator[Hit]:
    node = event.node
    table = context.schema.tables.get(context.schema.key(range_name(node.get("relation"))))
    if table is None or not node.get("if_not_exists") or not table.columns_known:
        return
    wanted = {d.get("colname", "") for d in find(node.get("tableElts", []), "ColumnDef")}
    if not wanted or wanted == set(table.columns):
        return
    missing = ", ".join(sorted(wanted - set(table.columns)))
    what = f"{missing} will be missing" if missing else "its columns differ"
    at = table.statement.source.locate(table.statement.start)
    there = f"{at.path}:{at.line}"
    message = f'table "{table.full_name}" already exists ({there}), so this is ignored: {what}'
    advice = "Change the table with ALTER TABLE."
    yield Hit(event.statement, event.statement.start, message, advice, table.full_name)


RULE = Rule(
    id="if-not-exists-diverges",
    severity=Severity.CRITICAL,
    category=Category.CONSTRAINTS,
    kinds=("CreateStmt",),
    check=_check,
    needs="model",
)
