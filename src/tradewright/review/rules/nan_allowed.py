"""A CHECK with only a lower bound lets NaN into a numeric column.

PostgreSQL sorts NaN above every number, so `amount >= 0` is true for it. One NaN in a ledger
makes every sum NaN.

Instead of::

    CREATE TABLE payments (
        id uuid PRIMARY KEY,
        amount numeric(20, 8) NOT NULL CHECK (amount > 0)
    );

Use::

    CREATE TABLE payments (
        id uuid PRIMARY KEY,
        amount numeric(20, 8) NOT NULL CHECK (amount > 0 AND amount < 'Infinity')
    );

Not reported when any check bounds the column from above or excludes NaN, and for other types
than numeric, real and double precision.
"""

from collections.abc import Iterator
from functools import partial

from tradewright.review.meaning import EXACT, FLOATS, is_exact_quantity
from tradewright.review.model import Category, Edit, Severity
from tradewright.review.rewrite.names import quoted
from tradewright.review.rewrite.spans import check_extended
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Constraint, ConstraintKind
from tradewright.review.schema.tree import column_refs, find, function_calls, strings
from tradewright.review.source.parser import Node

_LOWER = frozenset({">", ">="})
_UPPER = frozenset({"<", "<=", "<>", "!="})


def _check(_: Context, event: Event) -> Iterator[Hit]:
    constraint, table = event.constraint, event.table
    if constraint is None or table is None or constraint.kind is not ConstraintKind.CHECK:
        return
    for name in constraint.columns:
        column = table.columns.get(name)
        if column is None or column.type not in EXACT | FLOATS or not is_exact_quantity(name):
            continue
        if "lower" not in _bounds(constraint.node, name):
            continue
        bounds = {b for c in table.checks_of(name) for b in _bounds(c.node, name)}
        if "upper" not in bounds:
            full = f"{table.full_name}.{name}"
            message = (
                f'check "{constraint.name}" admits NaN into "{full}": NaN is above every number'
            )
            yield Hit(
                event.statement,
                constraint.offset,
                message,
                f"Bound it from above too: {name} < 'Infinity'.",
                full,
                f"CHECK ({name} >= 0 AND {name} < 'Infinity')",
                fix=partial(_fixed, constraint, name),
            )


def _fixed(constraint: Constraint, name: str) -> Iterator[Edit]:
    """Bound the column from above, where the condition is one comparison or several with AND."""
    condition = constraint.node.get("raw_expr", {})
    joined = condition.get("BoolExpr", {}).get("boolop") == "AND_EXPR"
    if joined or "A_Expr" in condition:
        yield from check_extended(
            constraint.statement, constraint.offset, f"{quoted(name)} < 'Infinity'"
        )


def _bounds(node: Node, name: str) -> Iterator[str]:
    """Yield `lower` and `upper` for each comparison that bounds the column."""
    for expression in find(node.get("raw_expr", {}), "A_Expr"):
        operator = (strings(expression.get("name")) or [""])[0]
        if expression.get("kind") in {"AEXPR_BETWEEN", "AEXPR_BETWEEN_SYM", "AEXPR_IN"}:
            operator = "<"
        left = _mentions(expression.get("lexpr"), name)
        right = _mentions(expression.get("rexpr"), name)
        if (operator in _UPPER | {"="} and left) or (operator in _LOWER and right):
            yield "upper"
        elif (operator in _LOWER and left) or (operator in {"<", "<="} and right):
            yield "lower"
    for call, _ in function_calls(node.get("raw_expr", {})):
        if call in {"isfinite", "scale", "trunc", "round"}:
            yield "upper"


def _mentions(node: Node | None, name: str) -> bool:
    return node is not None and any(column == name for _, column in column_refs(node))


RULE = Rule(
    id="nan-allowed",
    severity=Severity.MINOR,
    category=Category.PRECISION,
    kinds=("constraint",),
    check=_check,
    of=frozenset({ConstraintKind.CHECK}),
    fixable=True,
)
