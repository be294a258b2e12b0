"""A default is a time fixed when the migration runs.

'now' in quotes is turned into a time once, when the table is created; every row then gets the
hour of the migration. The same holds for 'today' and for a date written out.

Instead of::

    CREATE TABLE events (id uuid PRIMARY KEY, at timestamptz DEFAULT 'now'::timestamptz);

Use::

    CREATE TABLE events (id uuid PRIMARY KEY, at timestamptz DEFAULT now());

Not reported when the default is a function, or the column is text.
"""

from collections.abc import Iterator
from functools import partial

from tradewright.review.meaning import TEXTS
from tradewright.review.model import Category, Severity
from tradewright.review.rewrite.names import quoted
from tradewright.review.rewrite.spans import found_within
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import constant_text

_WORDS = frozenset({"now", "today", "tomorrow", "yesterday"})


def _check(_: Context, event: Event) -> Iterator[Hit]:
    column, table = event.column, event.table
    if column is None or table is None or column.default is None:
        return
    said = (constant_text(column.default) or "").strip().lower()
    if said in _WORDS and column.type not in TEXTS:
        name = f"{table.full_name}.{column.name}"
        message = f"default '{said}' of \"{name}\" is the time of the migration, not of the row"
        function = "now()" if said == "now" else "current_date"
        yield Hit(
            event.statement,
            column.offset,
            message,
            f"Use DEFAULT {function}.",
            name,
            f"{quoted(column.name)} {column.type_text} DEFAULT {function}",
            fix=partial(
                found_within,
                column.statement,
                column.offset,
                rf"(?<=\bDEFAULT)(\s+)'\s*{said}\s*'(?:\s*::\s*\w+)?",
                lambda match: f"{match[1].decode()}{function}",
            ),
        )


RULE = Rule(
    id="default-now-literal",
    severity=Severity.MAJOR,
    category=Category.TIME,
    kinds=("column",),
    check=_check,
    of=frozenset({"defaulted"}),
    fixable=True,
)
