"""An index method does not serve the column it is put on.

GIN serves values made of parts (jsonb, arrays, tsvector); on a plain column it needs an extension
and is slower than a B-tree. BRIN serves columns whose values follow the rows' order on disk, such
as times of insertion; on random keys it finds every block.

Instead of::

    CREATE TABLE trades (id uuid PRIMARY KEY, account_id uuid NOT NULL);
    CREATE INDEX idx_trades_account_id ON trades USING brin (account_id);

Use::

    CREATE TABLE trades (id uuid PRIMARY KEY, account_id uuid NOT NULL);
    CREATE INDEX idx_trades_account_id ON trades (account_id);

Not reported when an operator class is given, for expressions, and for types the rule does not
know.
"""

from collections.abc import Iterator

from tradewright.review.meaning import INTEGERS, TEXTS
from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Column
from tradewright.review.schema.tree import kind_of

_PARTS = frozenset({"jsonb", "tsvector", "hstore"})
_PLAIN = TEXTS | INTEGERS | {"uuid", "boolean", "timestamptz", "date", "numeric", "json"}
_RANDOM = TEXTS | {"uuid", "boolean", "jsonb", "numeric"}


def _check(context: Context, event: Event) -> Iterator[Hit]:
    node = event.node
    method = node.get("accessMethod", "btree")
    table = event.table
    if table is None or method not in {"gin", "brin", "btree"}:
        return
    for element in (kind_of(e)[1] for e in node.get("indexParams", ())):
        column = table.columns.get(element.get("name", ""))
        if column is None or "opclass" in element:
            continue
        why = _why(method, column, context.schema.extensions)
        if why:
            name = str(node.get("idxname", column.name))
            message = (
                f'{method.upper()} index "{name}" on {column.type} column "{column.name}" {why}'
            )
            advice = "Use the default B-tree." if method != "btree" else "Use USING gin."
            yield Hit(event.statement, event.statement.start, message, advice, name)


def _why(method: str, column: Column, extensions: set[str]) -> str:
    if method == "gin" and column.type in _PLAIN and "btree_gin" not in extensions:
        return "has no operator class for it: PostgreSQL refuses it"
    if method == "brin" and column.type in _RANDOM:
        return "finds nearly every block, as its values do not follow the rows' order"
    if method == "btree" and column.type in _PARTS:
        return "serves only equality of the whole value"
    return ""


RULE = Rule(
    id="index-method-misused",
    severity=Severity.MINOR,
    category=Category.INDEXING,
    kinds=("IndexStmt",),
    check=_check,
    needs="model",
)
