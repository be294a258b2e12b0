"""A money column is numeric without precision and scale.

Any number of digits is accepted, also the result of a division with sixteen of them. Two rows
that print alike may differ, and no later file can tell how many digits were meant.

Instead of::

    CREATE TABLE payments (id uuid PRIMARY KEY, amount numeric NOT NULL);

Use::

    CREATE TABLE payments (id uuid PRIMARY KEY, amount numeric(20, 8) NOT NULL);

Not reported when the name does not speak of money.
"""

from collections.abc import Iterator

from tradewright.review.meaning import EXACT, is_money
from tradewright.review.model import Category, Severity
from tradewright.review.rewrite.names import quoted
from tradewright.review.rule import Context, Event, Hit, Rule


def _check(_: Context, event: Event) -> Iterator[Hit]:
    column, table = event.column, event.table
    if column is None or table is None or column.type not in EXACT or not is_money(column.name):
        return
    if len(column.modifiers) < 2:
        name = f"{table.full_name}.{column.name}"
        said = "takes whole numbers only" if column.modifiers else "has no scale"
        message = f'money column "{name}" is {column.type_text}: it {said}'
        yield Hit(
            event.statement,
            column.offset,
            message,
            "Give precision and scale.",
            name,
            f"{quoted(column.name)} numeric(20, 8)",
        )


RULE = Rule(
    id="numeric-without-scale",
    severity=Severity.MINOR,
    category=Category.PRECISION,
    kinds=("column",),
    check=_check,
    of=EXACT,
)
