"""A UNIQUE constraint inside a table has a WHERE clause, which PostgreSQL cannot read.

The whole table is refused, so it never exists, and neither does anything that refers to it.
PostgreSQL knows partial uniqueness only as an index.

Instead of::

    CREATE TABLE positions (
        account_id uuid NOT NULL,
        symbol text NOT NULL,
        is_open boolean NOT NULL,
        UNIQUE (account_id, symbol) WHERE is_open
    );

Use::

    CREATE TABLE positions (
        id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        symbol text NOT NULL,
        is_open boolean NOT NULL
    );
    CREATE UNIQUE INDEX positions_open_once ON positions (account_id, symbol) WHERE is_open;

Not reported when the condition stands on a unique index.
"""

import re
from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.source.dialects import mask

UNIQUE_WHERE = re.compile(
    r"\bUNIQUE\s*\((?P<columns>[^()]*)\)\s*(?P<where>WHERE\b[^\n,]*)", re.IGNORECASE
)
_TABLE = re.compile(r"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?([\w.\"]+)", re.IGNORECASE)


def _check(_: Context, event: Event) -> Iterator[Hit]:
    if event.refusal is None:
        return
    broken = event.refusal.broken
    text = mask(broken.text)
    table = _TABLE.match(text)
    if table is None:
        return
    for match in UNIQUE_WHERE.finditer(text):
        offset = broken.start + len(broken.text[: match.start()].encode())
        message = f'table "{table[1]}" is never created: UNIQUE inside a table takes no WHERE'
        advice = "Create a unique index with the condition after the table."
        where = match["where"].strip()
        corrected = (
            f"CREATE UNIQUE INDEX {table[1]}_once ON {table[1]} ({match['columns']}) {where};"
        )
        yield Hit(event.statement, offset, message, advice, table[1], corrected)


RULE = Rule(
    id="inline-unique-where",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=("refusal",),
    check=_check,
)
