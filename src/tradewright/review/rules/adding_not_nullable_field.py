"""A column of an existing table is set NOT NULL, also by a constraint without NOT VALID.

PostgreSQL reads the whole table under an ACCESS EXCLUSIVE lock to see that no NULL is there.

Instead of::

    ALTER TABLE orders ALTER COLUMN book SET NOT NULL;

Use::

    ALTER TABLE orders ADD CONSTRAINT orders_book_not_null CHECK (book IS NOT NULL) NOT VALID;

Not reported when a validated CHECK (column IS NOT NULL) exists, which spares the reading, or the
table is created in the same unapplied set.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rewrite.names import quoted, quoted_name
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Constraint
from tradewright.review.schema.tree import range_name, strings


def _check(context: Context, event: Event) -> Iterator[Hit]:
    table, column = event.table, _column(event)
    if not column:
        return
    if table is not None:
        if context.is_new(table, event.source):
            return
        if any(c.valid and _says_not_null(c) for c in table.checks_of(column)):
            return
        if column in table.columns and table.columns[column].not_null:
            return
    shown = range_name(event.statement.node.get("relation"))[1]
    what = "SET NOT NULL" if event.kind == "AT_SetNotNull" else "a NOT NULL constraint"
    message = f'{what} reads all of "{shown}" under an exclusive lock'
    advice = "Add CHECK (... IS NOT NULL) NOT VALID, validate it, then set NOT NULL, then drop it."
    written = quoted_name(range_name(event.statement.node.get("relation")))
    fix = (
        f"ALTER TABLE {written} ADD CONSTRAINT {quoted(f'{shown}_{column}_not_null'[:63])} "
        f"CHECK ({quoted(column)} IS NOT NULL) NOT VALID;"
    )
    yield Hit(event.statement, event.statement.start, message, advice, f"{shown}.{column}", fix)


def _column(event: Event) -> str:
    """Return the column that is set NOT NULL and looked through at once."""
    if event.kind == "AT_SetNotNull":
        return str(event.node.get("name", ""))
    constraint = event.node.get("def", {}).get("Constraint", {})
    if constraint.get("contype") != "CONSTR_NOTNULL" or constraint.get("skip_validation"):
        return ""
    return next(iter(strings(constraint.get("keys"))), "")


def _says_not_null(constraint: Constraint) -> bool:
    test = constraint.node.get("raw_expr", {}).get("NullTest", {})
    return bool(test.get("nulltesttype") == "IS_NOT_NULL")


RULE = Rule(
    id="adding-not-nullable-field",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("AT_SetNotNull", "AT_AddConstraint"),
    check=_check,
    needs="model",
)
