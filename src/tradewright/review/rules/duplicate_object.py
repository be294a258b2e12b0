"""A statement creates an object that already exists.

It fails when it is run, and the migration with it.

Instead of::

    CREATE TABLE users (id uuid PRIMARY KEY);
    CREATE TABLE users (id uuid PRIMARY KEY, name text);

Use::

    CREATE TABLE users (id uuid PRIMARY KEY, name text);

Not reported when the object was dropped in between, when the statement says IF NOT EXISTS or OR
REPLACE, when a function has other arguments, or inside a DO block that checks first.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import find, range_name, strings, type_name
from tradewright.review.source.parser import Node


def _check(context: Context, event: Event) -> Iterator[Hit]:
    if event.body is not None or event.node.get("if_not_exists") or event.node.get("replace"):
        return
    for kind, name in _created(context, event):
        if not event.source.repeatable:
            message = f'{kind} "{name}" already exists at this point'
            advice = "Give it another name, or drop the first one before."
            yield Hit(event.statement, event.statement.start, message, advice, f"{kind} {name}")


def _created(context: Context, event: Event) -> Iterator[tuple[str, str]]:
    """Yield what the statement creates for the second time."""
    schema, node = context.schema, event.node
    if event.kind in {"CreateStmt", "ViewStmt"}:
        name = range_name(node.get("relation") or node.get("view"))
        existing = schema.tables.get(schema.key(name))
        if existing is not None and not existing.temporary:
            yield str(existing.relation), name[1]
    elif event.kind == "IndexStmt" and node.get("idxname"):
        if schema.index(node["idxname"]):
            yield "index", node["idxname"]
    elif event.kind == "CreateEnumStmt":
        enum = strings(node.get("typeName"))[-1]
        if enum in schema.enums:
            yield "type", enum
    elif event.kind == "CreateFunctionStmt":
        yield from _functions(context, node)
    elif event.kind == "AT_AddColumn" and not node.get("missing_ok") and event.table is not None:
        column = node["def"]["ColumnDef"].get("colname", "")
        if column in event.table.columns:
            yield "column", f"{event.table.full_name}.{column}"


def _functions(context: Context, node: Node) -> Iterator[tuple[str, str]]:
    names = strings(node.get("funcname"))
    key = context.schema.key(("" if len(names) < 2 else names[-2], names[-1]))
    existing = context.schema.routines.get(key)
    parameters = [p.get("argType") for p in find(node.get("parameters", []), "FunctionParameter")]
    wanted = [type_name(parameter) for parameter in parameters]
    if existing is not None and [kind for _, kind in existing.arguments] == wanted:
        yield "function", names[-1]


RULE = Rule(
    id="duplicate-object",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=(
        "CreateStmt",
        "ViewStmt",
        "IndexStmt",
        "CreateEnumStmt",
        "CreateFunctionStmt",
        "AT_AddColumn",
    ),
    check=_check,
    needs="model",
)
