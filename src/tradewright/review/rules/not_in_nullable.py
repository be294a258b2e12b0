"""NOT IN looks through a column that may be NULL.

One NULL among the values and `x NOT IN (...)` is never true: a DELETE deletes nothing, a view is
empty, a check passes, all in silence.

Instead of::

    CREATE TABLE owners (id bigint PRIMARY KEY);
    CREATE TABLE orders (id bigint PRIMARY KEY, owner_id bigint REFERENCES owners (id));
    CREATE INDEX idx_orders_owner_id ON orders (owner_id);
    CREATE VIEW idle AS SELECT id FROM owners WHERE id NOT IN (SELECT owner_id FROM orders);

Use::

    CREATE TABLE owners (id bigint PRIMARY KEY);
    CREATE TABLE orders (id bigint PRIMARY KEY, owner_id bigint REFERENCES owners (id));
    CREATE INDEX idx_orders_owner_id ON orders (owner_id);
    CREATE VIEW idle AS
    SELECT id FROM owners WHERE NOT EXISTS (SELECT FROM orders WHERE owner_id = owners.id);

Not reported when the column is NOT NULL, or the inner query has a WHERE that names it.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import column_refs, find, range_name, strings
from tradewright.review.source.parser import Node


def _check(context: Context, event: Event) -> Iterator[Hit]:
    if not event.statement.has("SubLink") or not event.statement.says("NOT_EXPR"):
        return
    for negation in find(event.node, "BoolExpr"):
        inside = [arg.get("SubLink", {}) for arg in negation.get("args", ())]
        if negation.get("boolop") == "NOT_EXPR" and inside:
            yield from _looked_through(context, event, inside[0])


def _looked_through(context: Context, event: Event, link: Node) -> Iterator[Hit]:
    query = link.get("subselect", {}).get("SelectStmt", {})
    sources, targets = query.get("fromClause", []), query.get("targetList", [])
    if link.get("subLinkType") != "ANY_SUBLINK" or len(sources) != 1 or len(targets) != 1:
        return
    value = targets[0].get("ResTarget", {}).get("val", {})
    names = strings(value.get("ColumnRef", {}).get("fields"))
    table = context.schema.table(range_name(sources[0].get("RangeVar")))
    column = table.columns.get(names[-1]) if table is not None and names else None
    if table is None or column is None or column.not_null or column.name in table.primary_key:
        return
    if any(name == column.name for _, name in column_refs(query.get("whereClause", {}))):
        return
    shown = f"{table.full_name}.{column.name}"
    message = f'NOT IN is never true once "{shown}" holds a NULL, which it may'
    place = event.statement.place(link)
    yield Hit(event.statement, place, message, "Use NOT EXISTS, or leave the NULLs out.", shown)


RULE = Rule(
    id="not-in-nullable",
    severity=Severity.MAJOR,
    category=Category.CONSTRAINTS,
    kinds=(
        "SelectStmt",
        "InsertStmt",
        "UpdateStmt",
        "DeleteStmt",
        "ViewStmt",
        "CreateTableAsStmt",
    ),
    check=_check,
    needs="model",
)
