"""A NOT NULL column without a default is added to an existing table.

PostgreSQL refuses it as soon as the table has a row. It works on the empty database of a
developer.

Instead of::

    ALTER TABLE orders ADD COLUMN book text NOT NULL;

Use::

    ALTER TABLE orders ADD COLUMN book text NOT NULL DEFAULT 'b';

Not reported when the column has a default, an identity or is generated, or the table is created
in the same unapplied set.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import constraints_of, range_name, type_name

_FILLED = frozenset({"CONSTR_DEFAULT", "CONSTR_IDENTITY", "CONSTR_GENERATED"})


def _check(context: Context, event: Event) -> Iterator[Hit]:
    definition = event.node.get("def", {}).get("ColumnDef", {})
    if event.table is not None and context.is_new(event.table, event.source):
        return
    kinds = {c.get("contype") for c in constraints_of(event.node)}
    serial = type_name(definition.get("typeName")).endswith("serial")
    if kinds & {"CONSTR_NOTNULL", "CONSTR_PRIMARY"} and not kinds & _FILLED and not serial:
        shown = range_name(event.statement.node.get("relation"))[1]
        name = f"{shown}.{definition.get('colname', '')}"
        message = f'adding NOT NULL column "{name}" without a default fails if "{shown}" has rows'
        advice = "Give it a constant default, or add it nullable, fill it, then set NOT NULL."
        yield Hit(event.statement, event.statement.start, message, advice, name)


RULE = Rule(
    id="adding-required-field",
    severity=Severity.CRITICAL,
    category=Category.AVAILABILITY,
    kinds=("AT_AddColumn",),
    check=_check,
    needs="model",
)
