"""A column that was NOT NULL may be NULL from now on.

Whoever reads it was promised a value: compiled clients, NOT IN, sums and joins go wrong with the
first NULL, long after the migration. Coming back means finding and filling the NULLs first.

Instead of::

    ALTER TABLE orders ALTER COLUMN account_id DROP NOT NULL;

Use::

    ALTER TABLE orders ALTER COLUMN account_id SET DEFAULT '00000000-0000-0000-0000-000000000000';

Not reported in down migrations, for tables created in the same unapplied set, and for columns that
could be NULL before.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import range_name


def _check(context: Context, event: Event) -> Iterator[Hit]:
    table, name = event.table, str(event.node.get("name", ""))
    if table is not None and context.is_new(table, event.source):
        return
    column = table.columns.get(name) if table is not None else None
    if column is not None and not column.not_null:
        return
    shown = f"{range_name(event.statement.node.get('relation'))[1]}.{name}"
    message = f'"{shown}" may be NULL from now on, which its readers do not expect'
    advice = "Make sure that every reader takes a NULL before this runs."
    yield Hit(event.statement, event.statement.start, message, advice, shown)


RULE = Rule(
    id="ban-drop-not-null",
    severity=Severity.INFO,
    category=Category.AVAILABILITY,
    kinds=("AT_DropNotNull",),
    check=_check,
    needs="model",
)
