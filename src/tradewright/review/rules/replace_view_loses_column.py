"""CREATE OR REPLACE VIEW leaves out, renames or moves a column of the view that is there.

PostgreSQL refuses it: a view that is replaced keeps its columns, with their names and in their
order, and new ones may only follow.

Instead of::

    CREATE TABLE fills (id uuid PRIMARY KEY, price numeric(20, 8) NOT NULL);
    CREATE VIEW deals AS SELECT id, price FROM fills;
    CREATE OR REPLACE VIEW deals AS SELECT price AS rate, id FROM fills;

Use::

    CREATE TABLE fills (id uuid PRIMARY KEY, price numeric(20, 8) NOT NULL);
    CREATE VIEW deals AS SELECT id, price FROM fills;
    CREATE OR REPLACE VIEW deals AS SELECT id, price, price AS rate FROM fills;

Not reported when the view was dropped before or has had a column renamed, nor behind the first
`*` of either query.
"""

from collections.abc import Iterator
from itertools import takewhile

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Relation, Table
from tradewright.review.schema.tree import kind_of, range_name, strings
from tradewright.review.source.parser import Node

_STAR = "*"


def _check(context: Context, event: Event) -> Iterator[Hit]:
    view = context.schema.table(range_name(event.node.get("view")))
    if not event.node.get("replace") or view is None or view.relation is not Relation.VIEW:
        return
    if _is_renamed(context, view):
        return
    what = _difference(_columns(view.statement.node), _columns(event.node))
    if what:
        message = f'view "{view.full_name}" cannot be replaced: this {what}'
        advice = "Keep the columns, add new ones at the end, or drop the view first."
        yield Hit(event.statement, event.statement.start, message, advice, view.full_name)


def _is_renamed(context: Context, view: Table) -> bool:
    """Return whether any file renames a column of the view."""
    renamings = (
        statement.node
        for reading in context.readings
        for statement in reading.statements
        if statement.kind == "RenameStmt" and statement.node.get("renameType") == "OBJECT_COLUMN"
    )
    return any(context.schema.table(range_name(node.get("relation"))) is view for node in renamings)


def _difference(before: list[str], after: list[str]) -> str:
    for number, (old, new) in enumerate(zip(before, after, strict=False), 1):
        if _STAR in (old, new):
            return ""
        if old and new and old != new:
            return f'makes "{new}" of its column {number}, "{old}"'
    if _STAR not in before and _STAR not in after and len(after) < len(before):
        return f'leaves out "{before[len(after)]}"' if before[len(after)] else "leaves out a column"
    return ""


def _columns(view: Node) -> list[str]:
    """Return the names of a view's columns, empty where one is not plain to see, up to a `*`."""
    query = view.get("query", {}).get("SelectStmt", {})
    while "larg" in query:
        query = query["larg"]
    targets = [_name(kind_of(target)[1]) for target in query.get("targetList", ())] or [_STAR]
    known = list(takewhile(lambda name: name != _STAR, targets))
    names = known + targets[len(known) :][:1]
    given = strings(view.get("aliases"))
    return given + names[len(given) :]


def _name(target: Node) -> str:
    if "name" in target:
        return str(target["name"])
    kind, value = kind_of(target.get("val", {"": {}}))
    if kind == "ColumnRef":
        last, _ = kind_of(value["fields"][-1])
        return _STAR if last == "A_Star" else strings(value["fields"])[-1]
    return strings(value.get("funcname"))[-1] if kind == "FuncCall" else ""


RULE = Rule(
    id="replace-view-loses-column",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=("ViewStmt",),
    check=_check,
    needs="model",
)
