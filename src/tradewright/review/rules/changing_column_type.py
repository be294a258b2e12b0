"""A column's type is changed in a way that rewrites the table.

Every row is written anew under an ACCESS EXCLUSIVE lock, and every index rebuilt.

Instead of::

    ALTER TABLE orders ALTER COLUMN number TYPE bigint;

Use::

    ALTER TABLE orders ADD COLUMN number_new bigint;

Not reported when the change is free: a longer varchar, varchar to text, more digits before the
point of numeric at the same scale, for tables created in the same unapplied set, and for the
attributes of a composite type, which PostgreSQL changes only where no table uses it.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Column
from tradewright.review.schema.tree import range_name, type_modifiers, type_name


def _check(context: Context, event: Event) -> Iterator[Hit]:
    if event.statement.node.get("objtype") != "OBJECT_TABLE":
        return
    table, name = event.table, event.node.get("name", "")
    definition = event.node.get("def", {}).get("ColumnDef", {})
    if table is not None and context.is_new(table, event.source):
        return
    column = table.columns.get(name) if table is not None else None
    new = type_name(definition.get("typeName"))
    modifiers = type_modifiers(definition.get("typeName"))
    if column is not None and _is_free(column, new, modifiers):
        return
    shown = range_name(event.statement.node.get("relation"))[1]
    size = f"({', '.join(map(str, modifiers))})" if modifiers else ""
    old = f" from {column.type_text}" if column is not None else ""
    does = "rewrites" if column is not None else "may rewrite"
    why = "" if column is not None else "; no file says what type it has"
    what = f'changing "{shown}.{name}"{old} to {new}{size}'
    message = f"{what} {does} the table under an exclusive lock{why}"
    advice = "Add a new column, keep both in step by a trigger, fill it in batches, then swap."
    place = event.statement.place(definition) if "location" in definition else 0
    yield Hit(event.statement, place or event.statement.start, message, advice, f"{shown}.{name}")


def _is_free(column: Column, new: str, modifiers: tuple[int, ...]) -> bool:
    old, had = column.type, column.modifiers
    if old in {"varchar", "text"} and new in {"varchar", "text"}:
        return not modifiers or (bool(had) and modifiers[0] >= had[0])
    if old == new == "numeric" and len(had) == 2:
        if not modifiers:
            return True
        return len(modifiers) == 2 and modifiers[1] == had[1] and modifiers[0] >= had[0]
    if old == new:
        return not modifiers or modifiers == had
    return False


RULE = Rule(
    id="changing-column-type",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("AT_AlterColumnType",),
    check=_check,
    needs="model",
)
