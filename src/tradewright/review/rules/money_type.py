"""A column has the type money.

Its fraction digits and its currency sign come from a setting of the server (lc_monetary), so the
same bytes are another amount elsewhere. It holds two digits, which is not enough for prices or
for crypto currencies.

Instead of::

    CREATE TABLE payments (id uuid PRIMARY KEY, amount money NOT NULL);

Use::

    CREATE TABLE payments (
        id uuid PRIMARY KEY,
        amount numeric(20, 8) NOT NULL,
        currency text NOT NULL
    );

Not reported when the column is merely called money.
"""

from collections.abc import Iterator
from functools import partial

from tradewright.review.model import Category, Severity
from tradewright.review.rewrite.names import quoted
from tradewright.review.rewrite.spans import retyped
from tradewright.review.rule import Context, Event, Hit, Rule


def _check(_: Context, event: Event) -> Iterator[Hit]:
    column, table = event.column, event.table
    if column is not None and table is not None and column.type == "money":
        name = f"{table.full_name}.{column.name}"
        message = f'column "{name}" is money: its digits and currency depend on the server'
        yield Hit(
            event.statement,
            column.offset,
            message,
            "Use numeric(20, 8) beside a currency.",
            name,
            f"{quoted(column.name)} numeric(20, 8)",
            fix=partial(retyped, column, "numeric(20, 8)"),
        )


RULE = Rule(
    id="money-type",
    severity=Severity.MAJOR,
    category=Category.PRECISION,
    kinds=("column",),
    check=_check,
    of=frozenset({"money"}),
    fixable=True,
)
