"""A down migration leaves something behind that its up creates.

Going up again then fails on what is still there, or silently keeps the old form of it.

Instead of::

    -- up creates orders and trades, down drops only orders

Use::

    -- down drops trades, then orders

Not reported when the down drops the object's schema, uses dynamic SQL, or drops the table that
the index, trigger or type belongs to. <!-- examples: prose -->
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import list_name, range_name, strings
from tradewright.review.source.text import Statement

_CREATES = {
    "CreateStmt": "table",
    "CreateTableAsStmt": "view",
    "ViewStmt": "view",
    "CreateFunctionStmt": "function",
    "CreateEnumStmt": "type",
}


def _check(context: Context, _: Event) -> Iterator[Hit]:
    downs = {reading.source.label: reading for reading in context.downs()}
    for reading in context.ups():
        down = downs.get(reading.source.label)
        if down is None or down.refusals or not down.statements:
            continue
        dropped = {n for s in down.statements for n in _dropped(s)}
        if "*" in dropped:
            continue
        text = down.source.text
        for statement in reading.statements:
            name = _created(statement)
            if name and name not in dropped and name not in text:
                kind = _CREATES[statement.kind]
                message = f'the down migration leaves {kind} "{name}" behind'
                advice = "Drop it in the down migration too."
                yield Hit(
                    statement, statement.start, message, advice, f"{reading.source.label}:{name}"
                )


def _created(statement: Statement) -> str:
    node = statement.node
    if statement.kind == "CreateStmt" and "partbound" not in node:
        if node.get("relation", {}).get("relpersistence") != "t":
            return range_name(node.get("relation"))[1]
    elif statement.kind == "ViewStmt" and not node.get("replace"):
        return range_name(node.get("view"))[1]
    elif statement.kind == "CreateFunctionStmt" and not node.get("replace"):
        return strings(node.get("funcname"))[-1]
    elif statement.kind == "CreateEnumStmt":
        return strings(node.get("typeName"))[-1]
    return ""


def _dropped(statement: Statement) -> Iterator[str]:
    if statement.kind == "DropStmt":
        if statement.node.get("removeType") == "OBJECT_SCHEMA":
            yield "*"
        yield from (list_name(wrapped)[1] for wrapped in statement.node.get("objects", ()))
    elif statement.kind == "DoStmt":
        yield "*"


RULE = Rule(
    id="down-incomplete",
    severity=Severity.MINOR,
    category=Category.MAINTAINABILITY,
    kinds=("schema",),
    check=_check,
)
