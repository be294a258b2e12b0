"""A CHECK has no name of its own, in a schema that names its checks.

PostgreSQL invents one (orders_check1). Error messages then say nothing, callers cannot tell which
rule was broken, and the name may differ between two databases.

Instead of::

    CREATE TABLE orders (
        id uuid PRIMARY KEY,
        quantity bigint CONSTRAINT quantity_positive CHECK (quantity > 0),
        units bigint CONSTRAINT units_positive CHECK (units > 0),
        weight bigint CHECK (weight > 0)
    );

Use::

    CREATE TABLE orders (
        id uuid PRIMARY KEY,
        quantity bigint CONSTRAINT quantity_positive CHECK (quantity > 0),
        units bigint CONSTRAINT units_positive CHECK (units > 0),
        weight bigint CONSTRAINT weight_positive CHECK (weight > 0)
    );

Not reported when fewer than half of the checks are named: then it is not the project's custom.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import ConstraintKind


def _check(context: Context, _: Event) -> Iterator[Hit]:
    checks = [
        (table, constraint)
        for table in context.schema.tables.values()
        if not table.partition_of
        for constraint in table.of_kind(ConstraintKind.CHECK)
    ]
    named = sum("conname" in constraint.node for _, constraint in checks)
    if named * 2 <= len(checks):
        return
    for table, constraint in checks:
        if "conname" not in constraint.node:
            columns = ", ".join(constraint.columns)
            message = f'a check on "{table.full_name}" ({columns}) has no name; {named} others do'
            advice = "Name it after the truth that it keeps: CONSTRAINT name CHECK (...)."
            subject = f"{table.full_name}({columns})"
            yield Hit(constraint.statement, constraint.offset, message, advice, subject)


RULE = Rule(
    id="unnamed-constraint",
    severity=Severity.INFO,
    category=Category.MAINTAINABILITY,
    kinds=("schema",),
    check=_check,
    needs="model",
)
