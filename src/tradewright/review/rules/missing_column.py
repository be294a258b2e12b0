"""A constraint, an index, a view's table or an INSERT names a column that its table lacks.

The statement fails when it is run.

Instead of::

    CREATE TABLE users (id uuid PRIMARY KEY, name text);
    CREATE INDEX idx_users_email ON users (email);

Use::

    CREATE TABLE users (id uuid PRIMARY KEY, email text);
    CREATE INDEX idx_users_email ON users (email);

Not reported when not all columns of the table are known: views, CREATE TABLE AS, LIKE or INHERITS
of a table outside of the files.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Relation, Table
from tradewright.review.schema.tree import column_refs, kind_of, range_name

_SYSTEM = frozenset({"tableoid", "ctid", "xmin", "xmax", "cmin", "cmax", "oid"})
_NAMING = frozenset(
    {
        "AT_AlterColumnType",
        "AT_SetNotNull",
        "AT_DropNotNull",
        "AT_DropColumn",
        "AT_ColumnDefault",
        "AT_SetStatistics",
        "AT_SetStorage",
    }
)


def _check(context: Context, event: Event) -> Iterator[Hit]:
    if event.routine is not None:
        return
    for table, name, offset in _named(context, event):
        if table is None or not table.columns_known or table.relation is not Relation.TABLE:
            continue
        if not name or name in table.columns or name in _SYSTEM:
            continue
        message = f'column "{name}" of table "{table.full_name}" does not exist at this point'
        advice = "Add the column in an earlier statement, or correct the name."
        yield Hit(event.statement, offset, message, advice, f"{table.full_name}.{name}")


Named = Iterator[tuple[Table | None, str, int]]


def _named(context: Context, event: Event) -> Named:
    statement, node = event.statement, event.node
    if event.constraint is not None:
        own = event.constraint
        yield from ((event.table, name, own.offset) for name in own.columns if name.islower())
        target = context.schema.table(own.target)
        yield from ((target, name, own.offset) for name in own.target_columns)
    elif event.kind == "IndexStmt":
        table = context.schema.table(range_name(node.get("relation")))
        for element in (kind_of(e)[1] for e in node.get("indexParams", ())):
            yield table, element.get("name", ""), statement.start
        if statement.has("ColumnRef"):
            refs = column_refs([node.get("whereClause", {}), node.get("indexParams", [])])
            yield from ((table, name, statement.start) for qualifier, name in refs if not qualifier)
    elif event.kind in {"InsertStmt", "UpdateStmt"}:
        table = context.schema.table(range_name(node.get("relation")))
        for wrapped in node.get("cols" if event.kind == "InsertStmt" else "targetList", ()):
            target = wrapped.get("ResTarget", {})
            yield table, target.get("name", ""), statement.place(target)
    elif event.kind in _NAMING and not node.get("missing_ok"):
        yield event.table, _before(event, node.get("name", "")), statement.start


def _before(event: Event, name: str) -> str:
    """Return nothing for a column that the same ALTER TABLE adds."""
    added = {column.get("colname") for column in event.statement.nodes("ColumnDef")}
    return "" if name in added else name


RULE = Rule(
    id="missing-column",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=("constraint", "IndexStmt", "InsertStmt", "UpdateStmt", *sorted(_NAMING)),
    check=_check,
    needs="model",
)
