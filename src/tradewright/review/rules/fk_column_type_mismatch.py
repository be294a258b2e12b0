"""A foreign key's column has another type than the column it refers to.

Between uuid and varchar PostgreSQL refuses the constraint. Between integer and bigint it accepts
it silently: the key overflows at two thousand million, and each comparison converts.

Instead of::

    CREATE TABLE users (id uuid PRIMARY KEY);
    CREATE TABLE payments (
        id uuid PRIMARY KEY,
        user_id varchar(64) NOT NULL REFERENCES users (id)
    );

Use::

    CREATE TABLE users (id uuid PRIMARY KEY);
    CREATE TABLE payments (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users (id)
    );

Not reported when the types are the same, or differ only in length (varchar and text).
"""

from collections.abc import Iterator
from functools import partial

from tradewright.review.meaning import INTEGERS
from tradewright.review.model import Category, Edit, Severity
from tradewright.review.rewrite.names import quoted
from tradewright.review.rewrite.spans import is_made_here, retyped, routines_naming
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import Column, Constraint, ConstraintKind, Table

_SAME = {
    "serial": "integer",
    "bigserial": "bigint",
    "smallserial": "smallint",
    "varchar": "text",
    "decimal": "numeric",
    "char": "text",
}
_KEPT = {key: _SAME[key] for key in ("serial", "bigserial", "smallserial")}
"""What a serial column holds; a column that refers to it must not count by itself."""

_WIDTHS = ("smallint", "integer", "bigint")


def _check(context: Context, event: Event) -> Iterator[Hit]:
    constraint, table = event.constraint, event.table
    if constraint is None or table is None or constraint.kind is not ConstraintKind.FOREIGN:
        return
    target = context.schema.table(constraint.target)
    if target is None:
        return
    wanted = constraint.target_columns or target.primary_key
    for own, other in zip(constraint.columns, wanted, strict=False):
        mine, theirs = table.columns.get(own), target.columns.get(other)
        if mine is None or theirs is None:
            continue
        if _SAME.get(mine.type, mine.type) != _SAME.get(theirs.type, theirs.type):
            hit = _hit(event, constraint, (table, mine), (target, theirs))
            hit.fix = partial(_fixed, context, table, mine, theirs)
            yield hit


def _fixed(context: Context, table: Table, mine: Column, theirs: Column) -> Iterator[Edit]:
    """Give the column the type of its target, where it can hold as much and no routine minds."""
    own, other = (_SAME.get(c.type, c.type) for c in (mine, theirs))
    widens = _WIDTHS.index(own) < _WIDTHS.index(other) if {own, other} <= INTEGERS else False
    if not widens and not (other == "uuid" and own == "text"):
        return
    if is_made_here(context, mine, table) and not routines_naming(context, table.name):
        yield from retyped(mine, other)


def _hit(
    event: Event, constraint: Constraint, mine: tuple[Table, Column], theirs: tuple[Table, Column]
) -> Hit:
    own, other = mine[1], theirs[1]
    numbers = {_SAME.get(c.type, c.type) for c in (own, other)} <= INTEGERS
    end = "accepts it, but the narrower one overflows" if numbers else "refuses it"
    name = f"{mine[0].full_name}.{own.name}"
    return Hit(
        event.statement,
        constraint.offset,
        f'foreign key "{name}" is {own.type_text} but "{theirs[0].full_name}.{other.name}" is '
        f"{other.type_text}: PostgreSQL {end}",
        f"Make the column {_KEPT.get(other.type, other.type)}.",
        name,
        f"{quoted(own.name)} {_KEPT.get(other.type, other.type_text)}",
        Severity.MAJOR if numbers else None,
    )


RULE = Rule(
    id="fk-column-type-mismatch",
    severity=Severity.CRITICAL,
    category=Category.CONSTRAINTS,
    kinds=("constraint",),
    check=_check,
    of=frozenset({ConstraintKind.FOREIGN}),
    needs="model",
    fixable=True,
)
