"""A CHECK is added to an existing table, alone or with a column, and validated at once.

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
from tradewright.review.schema.tree import constraints_of, range_name
from tradewright.review.source.parser import Node


def _check(context: Context, event: Event) -> Iterator[Hit]:
    if event.table is not None and context.is_new(event.table, event.source):
        return
    shown = range_name(event.statement.node.get("relation"))[1]
    for constraint in constraints_of(event.node):
        if constraint.get("contype") == "CONSTR_CHECK" and not constraint.get("skip_validation"):
            yield _hit(event, constraint, shown)


def _hit(event: Event, constraint: Node, shown: str) -> Hit:
    column = event.node["def"].get("ColumnDef", {}).get("colname", "")
    name = constraint.get("conname") or (f"{shown}_{column}_check" if column else "check")
    message = f'adding check "{name}" reads all of "{shown}" under an exclusive lock'
    advice = "Add it NOT VALID, and validate it in a later file."
    if column:
        advice = "Add the column alone, then the CHECK NOT VALID, and validate it in a later file."
    alone = len(event.statement.node.get("cmds", ())) == 1 and not column
    fix = f"{event.statement.text} NOT VALID;" if alone else ""
    offset = event.statement.place(constraint)
    return Hit(event.statement, offset, message, advice, f"{shown}:{name}", fix)


RULE = Rule(
    id="constraint-missing-not-valid",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("AT_AddConstraint", "AT_AddColumn"),
    check=_check,
    needs="model",
)
