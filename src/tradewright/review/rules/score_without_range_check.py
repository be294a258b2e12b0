"""A score, percentage or ratio has no CHECK for its range.

numeric(5, 2) admits everything from -999.99 to 999.99, and NaN. Whether 75 means three quarters
or is out of range, each reader decides anew.

Instead of::

    CREATE TABLE profiles (id uuid PRIMARY KEY, risk_score numeric(5, 2));

Use::

    CREATE TABLE profiles (
        id uuid PRIMARY KEY,
        risk_score numeric(5, 2) CHECK (risk_score BETWEEN 0 AND 100)
    );

Not reported when a check bounds the column from above, or the column is not a number.
"""

import re
from collections.abc import Iterator
from functools import partial

from tradewright.review.meaning import EXACT, FLOATS, INTEGERS, is_score
from tradewright.review.model import Category, Edit, Severity
from tradewright.review.rewrite.names import quoted
from tradewright.review.rewrite.spans import column_extended
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Column, Relation, Table

_NUMBERS = EXACT | FLOATS | INTEGERS


_HUNDRED = re.compile(r"(?:^|_)(?:score|percent|percentage|pct)(?:_|$)", re.IGNORECASE)


def _check(context: Context, _: Event) -> Iterator[Hit]:
    for table in context.schema.tables.values():
        if table.partition_of is not None or table.relation is not Relation.TABLE:
            continue
        for column in table.columns.values():
            if not is_score(column.name) or column.type not in _NUMBERS:
                continue
            if not any(True for _ in table.checks_of(column.name)):
                yield _hit(table, column)


def _fixed(table: Table, column: Column) -> Iterator[Edit]:
    """Say the range of a score or percentage with three digits before the point: 0 to 100."""
    digits = column.modifiers
    whole = digits[0] - digits[1] if len(digits) == 2 else 0
    if whole == 3 and _HUNDRED.search(column.name) and column.statement.kind == "CreateStmt":
        name = quoted(f"{table.name}_{column.name}_within_0_and_100"[:63])
        condition = f"{quoted(column.name)} BETWEEN 0 AND 100"
        yield from column_extended(column, f"CONSTRAINT {name} CHECK ({condition})")


def _hit(table: Table, column: Column) -> Hit:
    name = f"{table.full_name}.{column.name}"
    digits = ""
    if len(column.modifiers) == 2:
        whole, scale = column.modifiers[0] - column.modifiers[1], column.modifiers[1]
        digits = f" (up to {'9' * whole or '0'}.{'9' * scale}, and NaN)"
    return Hit(
        column.statement,
        column.offset,
        f'"{name}" is {column.type_text} without a range: any value fits{digits}',
        "Add a CHECK that says the range.",
        name,
        f"{quoted(column.name)} {column.type_text} CHECK ({quoted(column.name)} BETWEEN 0 AND 100)",
        fix=partial(_fixed, table, column),
    )


RULE = Rule(
    id="score-without-range-check",
    severity=Severity.MINOR,
    category=Category.PRECISION,
    kinds=("schema",),
    check=_check,
    needs="model",
    fixable=True,
)
