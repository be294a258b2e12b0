"""A foreign key is added between existing tables and validated at once.

Both tables are locked against writes (SHARE ROW EXCLUSIVE) while PostgreSQL compares all rows.

Instead of::

    ALTER TABLE orders ADD CONSTRAINT orders_user_fkey FOREIGN KEY (user_id) REFERENCES users (id);

Use::

    ALTER TABLE orders ADD CONSTRAINT orders_user_fkey FOREIGN KEY (user_id) REFERENCES users (id)
        NOT VALID;

Not reported when NOT VALID or NOT ENFORCED is given, or the table is created in the same unapplied
set. Validate in a later file.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import constraints_of, range_name, strings


def _check(context: Context, event: Event) -> Iterator[Hit]:
    if event.table is not None and context.is_new(event.table, event.source):
        return
    shown = range_name(event.statement.node.get("relation"))[1]
    for constraint in constraints_of(event.node):
        if constraint.get("contype") != "CONSTR_FOREIGN" or constraint.get("skip_validation"):
            continue
        if "NOT ENFORCED" in event.statement.text.upper():
            continue
        target = range_name(constraint.get("pktable"))[1]
        blocked = f'"{shown}" and "{target}"'
        message = f"adding a foreign key blocks writes to {blocked} while rows are compared"
        advice = "Add it NOT VALID, and validate it in a later file."
        columns = ", ".join(strings(constraint.get("fk_attrs"))) or target
        offset = event.statement.place(constraint)
        alone = len(event.statement.node.get("cmds", ())) == 1
        is_constraint = event.kind == "AT_AddConstraint"
        fix = f"{event.statement.text} NOT VALID;" if alone and is_constraint else ""
        yield Hit(event.statement, offset, message, advice, f"{shown}({columns})", fix)


RULE = Rule(
    id="adding-foreign-key-constraint",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("AT_AddConstraint", "AT_AddColumn"),
    check=_check,
    needs="model",
)
