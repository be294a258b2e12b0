"""An index is called after open, active or pending rows, but has no WHERE.

It holds all rows, open or not. It is as large as the table and is written for each closed row
too; readers of its name believe otherwise.

Instead of::

    CREATE TABLE positions (id uuid PRIMARY KEY, symbol text NOT NULL, is_open boolean NOT NULL);
    CREATE INDEX idx_positions_symbol_open ON positions (symbol, is_open);

Use::

    CREATE TABLE positions (id uuid PRIMARY KEY, symbol text NOT NULL, is_open boolean NOT NULL);
    CREATE INDEX idx_positions_symbol_open ON positions (symbol) WHERE is_open;

Not reported when the index has a WHERE, or the word belongs to the name of its table or of one of
its columns that is no flag.
"""

import re
from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rewrite.names import list_of, quoted, quoted_name
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Table
from tradewright.review.schema.tree import kind_of, range_name

_STATES = re.compile(
    r"(?:^|_)(open|active|pending|unread|unresolved|live|current|enabled|undelivered)(?:_|$)"
)


def _check(context: Context, event: Event) -> Iterator[Hit]:
    node = event.node
    name = str(node.get("idxname", ""))
    match = _STATES.search(name.lower())
    if not match or "whereClause" in node:
        return
    place = range_name(node.get("relation"))
    table = place[1]
    columns = [kind_of(e)[1].get("name", "") for e in node.get("indexParams", ())]
    known = context.schema.table(range_name(node.get("relation")))
    if match[1] in table or any(_explains(known, column, match[1]) for column in columns):
        return
    flag = next((c for c in columns if match[1] in c), f"is_{match[1]}")
    rest = list_of(tuple(c for c in columns if c and c != flag))
    message = f'index "{name}" is called "{match[1]}" but has no WHERE: it holds every row'
    written = f"{quoted(name)} ON {quoted_name(place)}"
    fix = f"CREATE INDEX {written} ({rest or 'id'}) WHERE {quoted(flag)};"
    advice = "Add the condition, or change the name."
    yield Hit(event.statement, event.statement.start, message, advice, name, fix)


def _explains(table: Table | None, column: str, word: str) -> bool:
    """Return whether a column that is no flag brings the word into the name."""
    if word not in column:
        return False
    found = table.columns.get(column) if table is not None else None
    return found is not None and found.type != "boolean"


RULE = Rule(
    id="partial-in-name-only",
    severity=Severity.MINOR,
    category=Category.INDEXING,
    kinds=("IndexStmt",),
    check=_check,
    needs="model",
)
