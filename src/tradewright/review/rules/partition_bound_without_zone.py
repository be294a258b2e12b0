"""A partition's bound for a timestamptz key names no zone.

The text is read in the zone of the session that runs the migration. On a machine in another zone
the month begins some hours earlier or later, and two partitions made in two sessions overlap or
leave a gap.

Instead of::

    CREATE TABLE logs (id uuid NOT NULL, at timestamptz NOT NULL) PARTITION BY RANGE (at);
    CREATE TABLE logs_2026_01 PARTITION OF logs
        FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');

Use::

    CREATE TABLE logs (id uuid NOT NULL, at timestamptz NOT NULL) PARTITION BY RANGE (at);
    CREATE TABLE logs_2026_01 PARTITION OF logs
        FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-02-01 00:00:00+00');

Not reported when the key is a date, or the file sets the time zone before.
"""

import re
from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import constant_text, range_name

_ZONE = re.compile(r"(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)\s*$", re.IGNORECASE)
_CLOCK = re.compile(r"\d:\d\d")


def _check(context: Context, event: Event) -> Iterator[Hit]:
    bound = event.node.get("partbound")
    if not bound or "set timezone" in event.source.lowered.replace("time zone", "timezone"):
        return
    parents = [range_name(p.get("RangeVar")) for p in event.node.get("inhRelations", ())]
    parent = context.schema.table(parents[0]) if parents else None
    if parent is None or not parent.partition_columns:
        return
    key = parent.columns.get(parent.partition_columns[0])
    if key is None or key.type != "timestamptz":
        return
    for side in ("lowerdatums", "upperdatums"):
        for datum in bound.get(side, ())[:1]:
            text = constant_text(datum)
            if text and not _has_zone(text):
                name = range_name(event.node.get("relation"))[1]
                message = (
                    f"bound '{text}' of partition \"{name}\" has no zone: it moves with the "
                    "session's time zone"
                )
                offset = event.statement.place(datum.get("A_Const", bound))
                advice = f"Write '{text} 00:00:00+00'." if len(text) == 10 else "Add the zone: +00."
                yield Hit(event.statement, offset, message, advice, name)
                return


def _has_zone(text: str) -> bool:
    return bool(_CLOCK.search(text) and _ZONE.search(text)) or text.lower() in {
        "infinity",
        "-infinity",
    }


RULE = Rule(
    id="partition-bound-without-zone",
    severity=Severity.MINOR,
    category=Category.TIME,
    kinds=("CreateStmt",),
    check=_check,
    needs="model",
)
