"""An index begins with a boolean column.

Half of the rows, or nearly all, share its first value, so the index hardly narrows the search.
A partial index is smaller and says what it is for.

Instead of::

    CREATE TABLE users (id uuid PRIMARY KEY, is_active boolean NOT NULL, name text NOT NULL);
    CREATE INDEX idx_users_active ON users (is_active, name);

Use::

    CREATE TABLE users (id uuid PRIMARY KEY, is_active boolean NOT NULL, name text NOT NULL);
    CREATE INDEX idx_users_active ON users (name) WHERE is_active;

Not reported when the boolean is not the first column, or the index is partial.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rewrite.names import quoted, quoted_table
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import kind_of


def _check(_: Context, event: Event) -> Iterator[Hit]:
    node = event.node
    table = event.table
    elements = [kind_of(e)[1] for e in node.get("indexParams", ())]
    if table is None or not elements or "whereClause" in node or node.get("unique"):
        return
    column = table.columns.get(elements[0].get("name", ""))
    if column is not None and column.type == "boolean":
        rest = ", ".join(quoted(e["name"]) if "name" in e else "..." for e in elements[1:]) or "id"
        name = str(node.get("idxname", ""))
        message = (
            f'index "{name}" begins with boolean "{column.name}", which hardly narrows anything'
        )
        advice = "Put the boolean into the condition of a partial index."
        condition = quoted(column.name)
        fix = f"CREATE INDEX {quoted(name)} ON {quoted_table(table)} ({rest}) WHERE {condition};"
        yield Hit(event.statement, event.statement.start, message, advice, name, fix)


RULE = Rule(
    id="boolean-first-index",
    severity=Severity.MINOR,
    category=Category.INDEXING,
    kinds=("IndexStmt",),
    check=_check,
    needs="model",
)
