"""A statement names a table that no earlier statement creates.

It fails when it is run. Often the table is created by a later file, was dropped before, or its
name is misspelt.

Instead of::

    CREATE TABLE users (id uuid PRIMARY KEY);
    CREATE INDEX idx_accounts_name ON accounts (name);

Use::

    CREATE TABLE accounts (id uuid PRIMARY KEY, name text);
    CREATE INDEX idx_accounts_name ON accounts (name);

Not reported when the first migration creates no table or changes one before (the folder does not
begin at the beginning), when the name has a schema that the files do not create or is where a
runner keeps its history, when IF EXISTS guards it, or when some text in the files creates a table
dynamically.
"""

import re
from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.origin import RUNNERS_TABLES, begins_at_beginning
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import SYSTEM_SCHEMAS
from tradewright.review.schema.tree import find, range_name, written_constraints

_DYNAMIC = re.compile(
    r"EXECUTE\b[^;]*CREATE\s+(?:TEMP\w*\s+|UNLOGGED\s+)?(?:TABLE|VIEW)|create_hypertable|"
    r"\bCREATE\s+TEMP|SELECT\b[^;]*\bINTO\s+(?:TEMP|TABLE)",
    re.IGNORECASE | re.DOTALL,
)


def _check(context: Context, event: Event) -> Iterator[Hit]:
    if event.routine is not None or not begins_at_beginning(context):
        return
    for name, offset in _named(event):
        if not name[1] or _is_there(context, event, name):
            continue
        dropped = context.schema.dropped.get(context.schema.key(name))
        why = " (it was dropped)" if dropped else ""
        message = f'table "{name[1]}" does not exist at this point{why}'
        yield Hit(
            event.statement,
            offset,
            message,
            "Create it in an earlier statement, or correct the name.",
            name[1],
        )


def _is_there(context: Context, event: Event, name: tuple[str, str]) -> bool:
    schema = context.schema
    if schema.table(name) is not None or name[0] in SYSTEM_SCHEMAS or name[1].startswith("pg_"):
        return True
    if (name[0] and name[0] not in schema.schemas) or name[1] in RUNNERS_TABLES:
        return True
    own = range_name(event.node.get("relation")) if event.kind == "CreateStmt" else ("", "")
    return name[1] == own[1] or _is_dynamic(context, name[1])


def _is_dynamic(context: Context, name: str) -> bool:
    return any(name in r.source.text and _DYNAMIC.search(r.source.text) for r in context.readings)


def _named(event: Event) -> Iterator[tuple[tuple[str, str], int]]:
    node, place = event.node, event.statement.place
    if event.kind == "CreateStmt":
        yield from _referred(event)
        for parent in node.get("inhRelations", ()):
            yield range_name(parent.get("RangeVar")), place(parent.get("RangeVar"))
    elif event.kind == "AlterTableStmt":
        yield from _altered(event)
    elif event.kind in {"IndexStmt", "CreateTrigStmt", "InsertStmt", "UpdateStmt", "DeleteStmt"}:
        yield range_name(node.get("relation")), place(node.get("relation"))
    elif event.kind == "ViewStmt":
        written = find(node, "CommonTableExpr") if event.statement.has("CommonTableExpr") else ()
        names = {cte.get("ctename") for cte in written}
        for relation in event.statement.nodes("RangeVar"):
            if relation.get("relname") not in names:
                yield range_name(relation), place(relation)


def _altered(event: Event) -> Iterator[tuple[tuple[str, str], int]]:
    node, place = event.node, event.statement.place
    if node.get("missing_ok") or node.get("objtype") not in {"OBJECT_TABLE", None}:
        return
    yield range_name(node.get("relation")), place(node.get("relation"))
    yield from _referred(event)


def _referred(event: Event) -> Iterator[tuple[tuple[str, str], int]]:
    """Yield the tables that foreign keys refer to."""
    if not event.statement.has("pktable"):
        return
    for constraint in written_constraints(event.statement.node):
        if "pktable" in constraint:
            yield range_name(constraint["pktable"]), event.statement.place(constraint)


RULE = Rule(
    id="missing-table",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=(
        "CreateStmt",
        "AlterTableStmt",
        "IndexStmt",
        "CreateTrigStmt",
        "InsertStmt",
        "UpdateStmt",
        "DeleteStmt",
        "ViewStmt",
    ),
    check=_check,
    needs="model",
)
