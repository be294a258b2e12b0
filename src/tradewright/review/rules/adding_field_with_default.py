"""A column is added with a default that is computed for every row.

A constant default is kept in the catalog and costs nothing. A volatile one (a random uuid, the
clock, a sequence) rewrites the whole table under an ACCESS EXCLUSIVE lock.

Instead of::

    ALTER TABLE orders ADD COLUMN public_id uuid DEFAULT gen_random_uuid();

Use::

    ALTER TABLE orders ADD COLUMN public_id uuid;
    ALTER TABLE orders ALTER COLUMN public_id SET DEFAULT gen_random_uuid();

Not reported when the default is a constant or stable (now() is stable), or the table is created in
the same unapplied set.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.builtins import EXTENSION_OF, volatile_functions
from tradewright.review.schema.tree import constraints_of, function_calls, range_name, type_name


def _check(context: Context, event: Event) -> Iterator[Hit]:
    definition = event.node.get("def", {}).get("ColumnDef", {})
    if event.table is not None and context.is_new(event.table, event.source):
        return
    shown = range_name(event.statement.node.get("relation"))[1]
    name = definition.get("colname", "")
    for constraint in constraints_of(event.node):
        if constraint.get("contype") == "CONSTR_IDENTITY":
            called = "an identity"
        elif constraint.get("contype") == "CONSTR_DEFAULT":
            calls = [call for call, _ in function_calls(constraint.get("raw_expr", {}))]
            volatile = [c for c in calls if c in volatile_functions() or c in EXTENSION_OF]
            called = f"{volatile[0]}()" if volatile else ""
        else:
            continue
        if called:
            yield _hit(event, f"{shown}.{name}", called)
    if type_name(definition.get("typeName")).endswith("serial"):
        yield _hit(event, f"{shown}.{name}", "a sequence")


def _hit(event: Event, name: str, called: str) -> Hit:
    message = f'adding "{name}" with {called} rewrites the whole table under an exclusive lock'
    advice = "Add the column without a default, set the default, then fill old rows in batches."
    return Hit(event.statement, event.statement.start, message, advice, name)


RULE = Rule(
    id="adding-field-with-default",
    severity=Severity.MAJOR,
    category=Category.AVAILABILITY,
    kinds=("AT_AddColumn",),
    check=_check,
    needs="model",
)
