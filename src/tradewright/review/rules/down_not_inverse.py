"""An up and its down together leave another schema than before.

What the down forgets stays behind, and the next up stumbles over it; what it takes too much of is
lost. Columns, types, constraints, indexes, functions, grants and comments were compared.

Instead of::

    -- 004_add_status.sql
    CREATE TYPE status AS ENUM ('new', 'done');
    ALTER TABLE orders ADD COLUMN status status;

    -- 004_add_status.down.sql
    ALTER TABLE orders DROP COLUMN status;

Use::

    -- 004_add_status.down.sql
    ALTER TABLE orders DROP COLUMN status;
    DROP TYPE status;

Not reported when there is no down, or it fails. <!-- examples: prose -->
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.prove.model import DownDiffers
from tradewright.review.rule import Context, Event, Hit, Rule


def _check(_: Context, event: Event) -> Iterator[Hit]:
    fact = event.fact
    if not isinstance(fact, DownDiffers):
        return
    message = f"up and down do not cancel out: {'; '.join(fact.differences)}"
    advice = "Let the down take back exactly what the up makes and changes."
    yield Hit(fact.statement, fact.statement.start, message, advice, event.source.label)


RULE = Rule(
    id="down-not-inverse",
    severity=Severity.MAJOR,
    category=Category.MAINTAINABILITY,
    kinds=("prove-down-differs",),
    check=_check,
    needs="shadow",
)
