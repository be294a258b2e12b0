"""A column is dropped from an existing table.

Its values are gone, and running versions of the application that still name it fail.

Instead of::

    ALTER TABLE orders DROP COLUMN note;

Use::

    COMMENT ON COLUMN orders.note IS 'Retired; to be dropped in the next release.';

Not reported in down migrations, and for tables created in the same unapplied set.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import range_name


def _check(context: Context, event: Event) -> Iterator[Hit]:
    if event.table is not None and context.is_new(event.table, event.source):
        return
    shown = range_name(event.statement.node.get("relation"))[1]
    name = f"{shown}.{event.node.get('name', '')}"
    message = f'dropping column "{name}" destroys its values'
    advice = "Stop using it first, and drop it in a later release."
    yield Hit(event.statement, event.statement.start, message, advice, name)


RULE = Rule(
    id="ban-drop-column",
    severity=Severity.MINOR,
    category=Category.AVAILABILITY,
    kinds=("AT_DropColumn",),
    check=_check,
    needs="model",
)
