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
from functools import partial

from tradewright.review.model import Category, Edit, Severity
from tradewright.review.rewrite.spans import followed_by, item_end
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.source.dialects import mask
from tradewright.review.source.text import Statement

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
            f"CREATE UNIQUE INDEX {_named(table[1], match['columns'])} "
            f"ON {table[1]} ({match['columns']}) {where};"
        )
        hit = Hit(event.statement, offset, message, advice, table[1], corrected)
        hit.fix = partial(_fixed, event.statement, offset, corrected)
        yield hit


def _named(table: str, columns: str) -> str:
    plain = re.findall(r"\w+", columns)
    return "_".join([table.rpartition(".")[2].strip('"'), *plain, "once"])[:63]


def _fixed(statement: Statement, offset: int, corrected: str) -> Iterator[Edit]:
    """Take the key out of the table with its comma, and write the index behind the table."""
    data, path = statement.source.data, statement.source.path
    start, end = offset, item_end(data, offset)
    named = re.compile(rb"CONSTRAINT\s+\S+\s+\Z", re.IGNORECASE).search(data, 0, offset)
    start = named.start() if named else start
    before = len(data[:start].rstrip())
    if data[before - 1 : before] != b",":
        return
    yield Edit(path, before - 1, before, "")
    yield Edit(path, before, end, "")
    yield from followed_by(statement, corrected)


RULE = Rule(
    id="inline-unique-where",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=("refusal",),
    check=_check,
    fixable=True,
)
