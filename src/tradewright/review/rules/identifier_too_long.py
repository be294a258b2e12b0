"""A name is longer than 63 bytes.

PostgreSQL cuts it off without an error. Two long names may become the same one, and a later DROP
by the full name may or may not find it.

Instead of::

    CREATE TABLE t (id uuid PRIMARY KEY, a text);
    CREATE INDEX idx_t_a_which_serves_the_monthly_report_of_all_open_orders_by_day ON t (a);

Use::

    CREATE TABLE t (id uuid PRIMARY KEY, a text);
    CREATE INDEX idx_t_a ON t (a);

Not reported when the name has 63 bytes or fewer.
"""

import re
from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.source.dialects import mask
from tradewright.review.source.statements import Reading

_BYTES_MAX = 63
_WORD = re.compile(r'\b[A-Za-z_][\w$]{63,}|"[^"\n]{64,}"')


def _check(_: Context, event: Event) -> Iterator[Hit]:
    words = event.source.text.split() or [""]
    if max(map(len, words)) <= _BYTES_MAX and '"' not in event.source.text:
        return
    reading = event.reading
    for match in _WORD.finditer(mask(event.source.text)):
        name = match.group().strip('"')
        offset = event.source.byte_of(match.start())
        if len(name.encode()) > _BYTES_MAX and reading is not None and _is_code(reading, offset):
            message = f'"{name}" has {len(name.encode())} bytes; PostgreSQL keeps the first 63'
            yield Hit(event.statement, offset, message, "Shorten it.", name[:63])


def _is_code(reading: Reading, offset: int) -> bool:
    bodies = {"CreateFunctionStmt", "DoStmt"}
    return any(s.start <= offset < s.end and s.kind not in bodies for s in reading.statements)


RULE = Rule(
    id="identifier-too-long",
    severity=Severity.MINOR,
    category=Category.MAINTAINABILITY,
    kinds=("file",),
    check=_check,
)
