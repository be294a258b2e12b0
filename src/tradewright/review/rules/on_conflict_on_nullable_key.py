"""ON CONFLICT rests on a unique key with a column that may be NULL.

Two NULLs are different values to a unique key, so rows with NULL never conflict: the insert that
was meant to run once adds a row each time.

Instead of::

    CREATE TABLE limits (id uuid PRIMARY KEY, user_id uuid, method text NOT NULL,
        UNIQUE (user_id, method));
    INSERT INTO limits (id, method) VALUES (uuidv7(), 'card')
    ON CONFLICT (user_id, method) DO NOTHING;

Use::

    CREATE TABLE limits (id uuid PRIMARY KEY, user_id uuid, method text NOT NULL,
        UNIQUE NULLS NOT DISTINCT (user_id, method));
    INSERT INTO limits (id, method) VALUES (uuidv7(), 'card')
    ON CONFLICT (user_id, method) DO NOTHING;

Not reported when all columns of the key are NOT NULL, or the key says NULLS NOT DISTINCT.
"""

from collections.abc import Iterator
from functools import partial

from tradewright.review.model import Category, Edit, Severity
from tradewright.review.rewrite.names import list_of
from tradewright.review.rewrite.spans import found_within
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import ConstraintKind, Table
from tradewright.review.schema.tree import kind_of, range_name
from tradewright.review.source.parser import Node


def _check(context: Context, event: Event) -> Iterator[Hit]:
    infer = event.node.get("onConflictClause", {}).get("infer")
    table = context.schema.table(range_name(event.node.get("relation")))
    if not infer or table is None:
        return
    columns = [kind_of(e)[1].get("name", "") for e in infer.get("indexElems", ())]
    nullable = [
        name for name in columns if name in table.columns and not table.columns[name].not_null
    ]
    if nullable and _distinct_nulls(table, set(columns)) and _may_be_null(event.node, nullable):
        shown = ", ".join(columns)
        message = (
            f'ON CONFLICT ({shown}) never fires where "{nullable[0]}" is NULL: '
            f'the row is added to "{table.full_name}" again and again'
        )
        advice = "Declare the key UNIQUE NULLS NOT DISTINCT, or the column NOT NULL."
        corrected = f"UNIQUE NULLS NOT DISTINCT ({list_of(tuple(columns))})"
        offset = event.statement.place(event.node["onConflictClause"])
        hit = Hit(
            event.statement, offset, message, advice, f"{table.full_name}({shown})", corrected
        )
        hit.fix = partial(_fixed, context, table, set(columns))
        yield hit


def _fixed(context: Context, table: Table, columns: set[str]) -> Iterator[Edit]:
    """Let the key take NULL for a value like any other, where the table is new."""
    for constraint in table.of_kind(ConstraintKind.UNIQUE):
        made = constraint.statement
        if set(constraint.columns) == columns and context.is_new(table, made.source):
            yield from found_within(
                made, constraint.offset, r"\bUNIQUE\b", lambda _: "UNIQUE NULLS NOT DISTINCT"
            )


def _distinct_nulls(table: Table, columns: set[str]) -> bool:
    for constraint in table.of_kind(ConstraintKind.UNIQUE):
        if set(constraint.columns) == columns:
            return not constraint.node.get("nulls_not_distinct", False)
    for index in table.indexes:
        if index.unique and set(index.columns) == columns:
            return not index.nulls_not_distinct
    return False


def _may_be_null(node: Node, nullable: list[str]) -> bool:
    """Return whether the statement may leave a nullable column NULL: unset, NULL, or unknown."""
    given = [w.get("ResTarget", {}).get("name", "") for w in node.get("cols", ())]
    rows = node.get("selectStmt", {}).get("SelectStmt", {}).get("valuesLists", [])
    for name in nullable:
        if name not in given:
            return bool(given)
        values = [
            row["List"]["items"][given.index(name)]
            for row in rows
            if len(row["List"]["items"]) > given.index(name)
        ]
        if any(value.get("A_Const", {}).get("isnull") for value in values) or not values:
            return True
        if any("A_Const" not in v and "FuncCall" not in v and "TypeCast" not in v for v in values):
            return True
    return False


RULE = Rule(
    id="on-conflict-on-nullable-key",
    severity=Severity.MAJOR,
    category=Category.CONSTRAINTS,
    kinds=("InsertStmt",),
    check=_check,
    needs="model",
    fixable=True,
)
