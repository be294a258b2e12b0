"""Deleting a row deletes records that must be kept.

ON DELETE CASCADE from a user or an account to orders, trades, payments, ledger or audit rows
destroys, in one statement, what the law wants kept for years, and nothing reports it.

Instead of::

    CREATE TABLE users (id uuid PRIMARY KEY);
    CREATE TABLE orders (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE
    );

Use::

    CREATE TABLE users (id uuid PRIMARY KEY);
    CREATE TABLE orders (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users (id) ON DELETE RESTRICT
    );

Not reported when the table's name does not speak of records to be kept; the setting `retained`
holds the pattern.
"""

from collections.abc import Iterator
from functools import partial

from tradewright.review.model import Category, Edit, Severity
from tradewright.review.rewrite.spans import found_within
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Constraint, ConstraintKind


def _check(context: Context, event: Event) -> Iterator[Hit]:
    constraint, table = event.constraint, event.table
    if constraint is None or table is None or constraint.kind is not ConstraintKind.FOREIGN:
        return
    if constraint.on_delete not in {"c", "n", "d"} or not context.settings.is_retained(table.name):
        return
    target = constraint.target[1]
    if constraint.on_delete != "c":
        return
    message = f'deleting from "{target}" silently deletes rows of "{table.full_name}", to be kept'
    columns = ", ".join(constraint.columns)
    corrected = (
        f"REFERENCES {target} ({', '.join(constraint.target_columns) or 'id'}) ON DELETE RESTRICT"
    )
    yield Hit(
        event.statement,
        constraint.offset,
        message,
        "Use ON DELETE RESTRICT, and close or anonymise the parent instead of deleting it.",
        f"{table.full_name}({columns})",
        corrected,
        fix=partial(_fixed, constraint),
    )


def _fixed(constraint: Constraint) -> Iterator[Edit]:
    """Refuse to delete the parent instead."""
    return found_within(
        constraint.statement,
        constraint.offset,
        r"\bON\s+DELETE\s+CASCADE",
        lambda _: "ON DELETE RESTRICT",
    )


RULE = Rule(
    id="cascade-to-retained-record",
    severity=Severity.MAJOR,
    category=Category.CONSTRAINTS,
    kinds=("constraint",),
    check=_check,
    of=frozenset({ConstraintKind.FOREIGN}),
    fixable=True,
)
