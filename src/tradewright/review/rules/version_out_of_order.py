"""A new migration comes before one that is already released.

Two branches that wrote migrations at the same time merge like this. Where the later one has been
applied, runners skip the earlier one or refuse to go on, while a new database gets both, in the
other order.

Instead of::

    -- on main: 005_fees.sql
    -- added by the branch: 004_orders.sql

Use::

    -- added by the branch: 006_orders.sql

Only read with `--since REF`: the files that were in REF are the released ones.

Not reported for repeatable migrations, and where all files are new.
<!-- examples: prose -->
"""

from collections.abc import Iterator
from pathlib import Path

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.source.text import Source, Statement


def _check(context: Context, _: Event) -> Iterator[Hit]:
    if context.unapplied is None:
        return
    sources = [reading.source for reading in context.ups() if not reading.source.standing]
    later: Source | None = None
    for source in reversed([each for each in sources if not each.repeatable]):
        if source.path not in context.unapplied or _is_edited(context, source):
            later = later or source
        elif later is not None:
            place = Statement(source, "file", "", 0, 0)
            message = (
                f'new "{source.label}" comes before "{later.label}", which is released already'
            )
            advice = f"Give it a version behind {later.label}."
            yield Hit(place, 0, message, advice, source.label)


def _is_edited(context: Context, source: Source) -> bool:
    return str(Path(source.path).resolve()) in context.edited


RULE = Rule(
    id="version-out-of-order",
    severity=Severity.MAJOR,
    category=Category.MAINTAINABILITY,
    kinds=("schema",),
    check=_check,
    needs="model",
)
