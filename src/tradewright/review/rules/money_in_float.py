"""An amount of money, a price, a rate or a quantity is stored in floating point.

Binary fractions cannot hold most decimal ones: 0.1 + 0.2 is not 0.3, sums depend on their order,
and a balance drifts from its ledger by amounts nobody can explain.

Instead of::

    CREATE TABLE payments (id uuid PRIMARY KEY, amount double precision NOT NULL);

Use::

    CREATE TABLE payments (id uuid PRIMARY KEY, amount numeric(20, 8) NOT NULL);

Not reported when the column's name does not speak of money, prices, rates or quantities.
"""

from collections.abc import Iterator
from functools import partial

from tradewright.review.meaning import FLOATS, is_exact_quantity
from tradewright.review.model import Category, Severity
from tradewright.review.rewrite.names import quoted
from tradewright.review.rewrite.spans import retyped
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import type_name


def _check(_: Context, event: Event) -> Iterator[Hit]:
    if event.kind == "AT_AlterColumnType" and event.table is not None:
        definition = event.node.get("def", {}).get("ColumnDef", {})
        name, kind = event.node.get("name", ""), type_name(definition.get("typeName"))
        offset = event.statement.place(definition)
    elif event.column is not None:
        name, kind, offset = event.column.name, event.column.type, event.column.offset
    else:
        return
    if event.table is not None and kind in FLOATS and is_exact_quantity(name):
        full = f"{event.table.full_name}.{name}"
        column = event.column
        yield Hit(
            event.statement,
            offset,
            f'column "{full}" keeps money in {kind}, which cannot hold decimal fractions exactly',
            "Use numeric(20, 8).",
            full,
            f"{quoted(name)} numeric(20, 8)",
            fix=None if column is None else partial(retyped, column, "numeric(20, 8)"),
        )


RULE = Rule(
    id="money-in-float",
    severity=Severity.CRITICAL,
    category=Category.PRECISION,
    kinds=("column", "AT_AlterColumnType"),
    check=_check,
    of=FLOATS,
    fixable=True,
)
