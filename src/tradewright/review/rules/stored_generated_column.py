"""A stored generated column is added to an existing table.

Its value is computed and written for every row under an ACCESS EXCLUSIVE lock. A virtual one
(PostgreSQL 18) is computed when it is read, and costs nothing to add.

Instead of::

    ALTER TABLE orders ADD COLUMN notional numeric(20, 8) GENERATED ALWAYS AS (1 + 1) STORED;

Use::

    ALTER TABLE orders ADD COLUMN notional numeric(20, 8) GENERATED ALWAYS AS (1 + 1) VIRTUAL;

Not reported when the column is virtual, or the table is created in the same unapplied set.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import constraints_of, range_name


def _check(context: Context, event: Event) -> Iterator[Hit]:
    if event.table is not None and context.is_new(event.table, event.source):
        return
    definition = event.node.get("def", {}).get("ColumnDef", {})
    for constraint in constraints_of(event.node):
        if constraint.get("contype") != "CONSTR_GENERATED":
            continue
        if constraint.get("generated_kind", "s") == "s":
            shown = range_name(event.statement.node.get("relation"))[1]
            name = f"{shown}.{definition.get('colname', '')}"
            message = f'adding stored column "{name}" rewrites the table under an exclusive lock'
            advice = "Make it VIRTUAL, or fill a plain column in batches."
            yield Hit(event.statement, event.statement.start, message, advice, name)


RULE = Rule(
    id="stored-generated-column",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("AT_AddColumn",),
    check=_check,
    needs="model",
)
