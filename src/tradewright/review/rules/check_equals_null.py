"""A condition compares with NULL by = or <>.

The result is neither true nor false but NULL: a CHECK then accepts everything, a WHERE finds
nothing.

Instead of::

    CREATE TABLE users (id uuid PRIMARY KEY, closed_at timestamptz CHECK (closed_at <> NULL));

Use::

    CREATE TABLE users (id uuid PRIMARY KEY, closed_at timestamptz CHECK (closed_at IS NOT NULL));

Not reported when IS NULL, IS NOT NULL or IS DISTINCT FROM is used, or NULL is assigned.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import strings


def _check(_: Context, event: Event) -> Iterator[Hit]:
    if not event.statement.has("isnull"):
        return
    for expression in event.statement.nodes("A_Expr"):
        operator = (strings(expression.get("name")) or [""])[0]
        if operator not in {"=", "<>", "!="} or expression.get("kind") != "AEXPR_OP":
            continue
        sides = (expression.get("lexpr", {}), expression.get("rexpr", {}))
        if any(side.get("A_Const", {}).get("isnull") for side in sides):
            wanted = "IS NULL" if operator == "=" else "IS NOT NULL"
            message = f"{operator} NULL is never true: a check accepts all, a condition finds none"
            subject = str(event.node.get("relation", {}).get("relname", event.kind))
            offset = event.statement.place(expression)
            yield Hit(event.statement, offset, message, f"Use {wanted}.", subject, wanted)


RULE = Rule(
    id="check-equals-null",
    severity=Severity.MAJOR,
    category=Category.CONSTRAINTS,
    kinds=(
        "CreateStmt",
        "AlterTableStmt",
        "SelectStmt",
        "UpdateStmt",
        "DeleteStmt",
        "ViewStmt",
        "IndexStmt",
        "InsertStmt",
    ),
    check=_check,
)
