"""The way back stands in a comment of the up migration.

No runner can run it and no test does. It goes stale the first time the file changes.

Instead of::

    CREATE TABLE orders (id uuid PRIMARY KEY);
    -- DOWN
    -- DROP TABLE orders;

Use::

    CREATE TABLE orders (id uuid PRIMARY KEY);

Not reported when the comment is a marker of the runner (goose, dbmate, ...). Move the statements
to a file NNN_name.down.sql.
"""

import re
from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule

_DROPS = re.compile(
    r"^[ \t]*--+[ \t]*(?:DROP[ \t]+(?:TABLE|INDEX|FUNCTION|VIEW|TYPE|TRIGGER|MATERIALIZED|"
    r"EXTENSION|PROCEDURE)|"
    r"ALTER[ \t]+TABLE[ \t]+\S+[ \t]+DROP)\b[^\n]*",
    re.MULTILINE | re.IGNORECASE,
)
_BLOCK = re.compile(
    r"/\*(?:[^*]|\*(?!/))*?\bDROP\s+(?:TABLE|INDEX|FUNCTION|VIEW|TYPE)\b", re.IGNORECASE
)
_HEADING = re.compile(
    r"^[ \t]*(?:--|/\*)[^\n]*\b(?:down|rollback|revert|undo)\b", re.MULTILINE | re.IGNORECASE
)


def _check(_: Context, event: Event) -> Iterator[Hit]:
    text = event.source.text
    if event.source.has_down or "DROP" not in text.upper():
        return
    found = list(_DROPS.finditer(text)) or list(_BLOCK.finditer(text))
    if not found:
        return
    headings = [m for m in _HEADING.finditer(text) if m.start() <= found[0].start()]
    if not headings and len(found) < 2:
        return
    first = headings[-1] if headings else found[0]
    offset = event.source.byte_of(first.start())
    count = f"{len(found)} statements" if len(found) > 1 else "1 statement"
    message = f"the down migration stands in a comment ({count}): nothing runs or tests it"
    advice = f"Move it to {event.source.label}.down.sql."
    yield Hit(event.statement, offset, message, advice, event.source.label)


RULE = Rule(
    id="down-in-comment",
    severity=Severity.MINOR,
    category=Category.MAINTAINABILITY,
    kinds=("file",),
    check=_check,
)
