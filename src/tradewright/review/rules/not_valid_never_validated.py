"""A constraint is added NOT VALID and never validated.

New rows are checked, old ones never were. Readers and the planner both take it for true.

Instead of::

    CREATE TABLE orders (id uuid PRIMARY KEY, quantity bigint NOT NULL);
    ALTER TABLE orders ADD CONSTRAINT quantity_positive CHECK (quantity > 0) NOT VALID;

Use::

    CREATE TABLE orders (id uuid PRIMARY KEY, quantity bigint NOT NULL);
    ALTER TABLE orders ADD CONSTRAINT quantity_positive CHECK (quantity > 0) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT quantity_positive;

Not reported when a later statement validates or drops the constraint, or it is NOT ENFORCED.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rewrite.names import quoted, quoted_table
from tradewright.review.rule import Context, Event, Hit, Rule


def _check(context: Context, _: Event) -> Iterator[Hit]:
    for table in context.schema.tables.values():
        for constraint in table.constraints:
            if not constraint.valid and constraint.enforced:
                name = quoted(constraint.name)
                fix = f"ALTER TABLE {quoted_table(table)} VALIDATE CONSTRAINT {name};"
                message = (
                    f'constraint "{constraint.name}" of "{table.full_name}" is never validated'
                )
                yield Hit(
                    constraint.statement,
                    constraint.offset,
                    message,
                    "Validate it in a later migration.",
                    f"{table.full_name}:{constraint.name}",
                    fix,
                )


RULE = Rule(
    id="not-valid-never-validated",
    severity=Severity.MINOR,
    category=Category.CONSTRAINTS,
    kinds=("schema",),
    check=_check,
    needs="model",
)
