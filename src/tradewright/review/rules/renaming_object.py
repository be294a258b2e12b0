"""A table, a column, a view, a type, a schema or a value of an enum is renamed.

At the moment of the rename, every running version of the application that uses the old name
fails.

Instead of::

    ALTER TABLE orders RENAME COLUMN note TO remark;

Use::

    ALTER TABLE orders ADD COLUMN remark text;

Not reported in down migrations, for tables created in the same unapplied set, for types that the
same file creates or replaces, and for indexes and constraints, whose names no query holds.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import list_name, range_name, strings
from tradewright.review.source.text import Statement

_KINDS = {
    "OBJECT_TABLE": "table",
    "OBJECT_COLUMN": "column",
    "OBJECT_VIEW": "view",
    "OBJECT_MATVIEW": "materialized view",
    "OBJECT_SCHEMA": "schema",
}


def _check(context: Context, event: Event) -> Iterator[Hit]:
    node = event.node
    if event.routine is not None:
        return
    if event.kind == "AlterEnumStmt" or node.get("renameType") == "OBJECT_TYPE":
        yield from _of_type(context, event)
        return
    kind = _KINDS.get(node.get("renameType", ""))
    if kind is None:
        return
    table = context.schema.table(range_name(node.get("relation")))
    if table is not None and context.is_new(table, event.source):
        return
    shown = range_name(node.get("relation"))[1]
    old = str(node.get("subname", ""))
    name = {"column": f"{shown}.{old}", "schema": old}.get(kind, shown)
    yield _hit(event, kind, name)


def _of_type(context: Context, event: Event) -> Iterator[Hit]:
    """Find a type that is renamed, unless another takes its name, or a value of one."""
    node = event.node
    is_value = event.kind == "AlterEnumStmt"
    if is_value and not node.get("oldVal"):
        return
    name = list_name({"List": {"items": node["typeName"]}} if is_value else node["object"])[1]
    made = {_type_made(statement) for statement in context.readings[-1].statements}
    if name not in made:
        yield _hit(event, "value" if is_value else "type", node["oldVal"] if is_value else name)


def _type_made(statement: Statement) -> str:
    if statement.kind not in {"CreateEnumStmt", "CompositeTypeStmt"}:
        return ""
    names = strings(statement.node.get("typeName"))
    return names[-1] if names else range_name(statement.node.get("typevar"))[1]


def _hit(event: Event, kind: str, name: str) -> Hit:
    message = f'renaming {kind} "{name}" breaks whatever still uses the old name'
    advice = "Add the new one beside it, move the readers over, then drop the old one."
    return Hit(event.statement, event.statement.start, message, advice, name)


RULE = Rule(
    id="renaming-object",
    severity=Severity.MINOR,
    category=Category.AVAILABILITY,
    kinds=("RenameStmt", "AlterEnumStmt"),
    check=_check,
    needs="model",
)
