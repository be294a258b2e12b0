"""A CHECK is added to an existing table and validated at once.

PostgreSQL reads the whole table under an ACCESS EXCLUSIVE lock.

Instead of::

    ALTER TABLE orders ADD CONSTRAINT quantity_positive CHECK (quantity > 0);

Use::

    ALTER TABLE orders ADD CONSTRAINT quantity_positive CHECK (quantity > 0) NOT VALID;

Not reported when NOT VALID is given, or the table is created in the same unapplied set. Validate
in a later file: VALIDATE CONSTRAINT lets reads and writes pass.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import range_name


def _check(context: Context, event: Event) -> Iterator[Hit]:
    constraint = event.node.get("def", {}).get("Constraint", {})
    if constraint.get("contype") != "CONSTR_CHECK" or constraint.get("skip_validation"):
        return
    if event.table is not None and context.is_new(event.table, event.source):
        return
    shown = range_name(event.statement.node.get("relation"))[1]
    name = constraint.get("conname", "check")
    message = f'adding check "{name}" reads all of "{shown}" under an exclusive lock'
    advice = "Add it NOT VALID, and validate it in a later file."
    alone = len(event.statement.node.get("cmds", ())) == 1
    fix = f"{event.statement.text} NOT VALID;" if alone else ""
    offset = event.statement.place(constraint)
    yield Hit(event.statement, offset, message, advice, f"{shown}:{name}", fix)


RULE = Rule(
    id="constraint-missing-not-valid",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("AT_AddConstraint",),
    check=_check,
    needs="model",
)
