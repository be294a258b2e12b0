"""A constraint is added NOT VALID and validated in the same transaction.

The exclusive lock of ADD CONSTRAINT is held until the transaction ends, so the table is locked
during the validation after all.

Instead of::

    ALTER TABLE orders ADD CONSTRAINT quantity_positive CHECK (quantity > 0) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT quantity_positive;

Use::

    ALTER TABLE orders ADD CONSTRAINT quantity_positive CHECK (quantity > 0) NOT VALID;

Not reported when the file runs outside a transaction, the validation stands in another file, or
the table is created in the same unapplied set.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.transactions import in_transaction


def _check(context: Context, event: Event) -> Iterator[Hit]:
    if event.table is not None and context.is_new(event.table, event.source):
        return
    if not in_transaction(context, event.statement):
        return
    name = event.node.get("name", "")
    reading = context.readings[-1]
    for statement in reading.statements:
        if statement.start >= event.statement.start or statement.kind != "AlterTableStmt":
            continue
        if name in [constraint.get("conname") for constraint in statement.nodes("Constraint")]:
            message = f'"{name}" is validated under the lock of the statement that added it'
            advice = "Validate it in a file of its own."
            yield Hit(event.statement, event.statement.start, message, advice, name)
            return


RULE = Rule(
    id="validate-in-same-transaction",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("AT_ValidateConstraint",),
    check=_check,
)
