"""Where in a file the parts of a statement stand, and the edits that rules make of it.

The parse tree says where a column or a constraint begins, never where it ends; so the text is read
on from there, minding strings, comments and brackets. Offsets are bytes, as everywhere.
"""

import re
from collections.abc import Callable, Iterator

from tradewright.review.model import Edit
from tradewright.review.rule import Context
from tradewright.review.schema.catalog import Column, Table
from tradewright.review.source.text import Source, Statement

_SKIPPED = re.compile(
    rb"""--[^\n]* | /\*.*?\*/ | '(?:[^']|'')*' | "(?:[^"]|"")*" | \$(\w*)\$.*?\$\1\$""",
    re.VERBOSE | re.DOTALL,
)
_BLANK = re.compile(rb"(?:\s+|--[^\n]*|/\*.*?\*/)*", re.DOTALL)
_NAME = re.compile(rb'"(?:[^"]|"")*"|[\w$]+')
_TYPE = re.compile(
    rb"""(?:double\s+precision|character\s+varying|(?:"[^"]+"|[\w$]+)(?:\s*\.\s*(?:"[^"]+"|\w+))*)
    (?:\s*\([^()]*\))?(?:\s+with(?:out)?\s+time\s+zone)?(?:\s*\[\d*\])*""",
    re.VERBOSE | re.IGNORECASE,
)


def skip_blank(data: bytes, at: int) -> int:
    """Return the first byte from `at` that is neither blank nor comment."""
    match = _BLANK.match(data, at)
    return match.end() if match else at


def _signs(data: bytes, at: int) -> Iterator[int]:
    """Yield the places of bytes outside of strings and comments."""
    while at < len(data):
        match = _SKIPPED.match(data, at)
        if match is not None:
            at = match.end()
            continue
        yield at
        at += 1


def closing(data: bytes, opening: int) -> int:
    """Return the place of the bracket that closes the one at `opening`; -1 when none does."""
    depth = 0
    for at in _signs(data, opening):
        depth += (data[at : at + 1] == b"(") - (data[at : at + 1] == b")")
        if depth == 0:
            return at
    return -1


def item_end(data: bytes, start: int) -> int:
    """Return where an item of a bracketed list ends, before blanks and comments behind it."""
    depth, last = 0, start
    at = start
    while at < len(data):
        match = _SKIPPED.match(data, at)
        if match is not None:
            last = match.end() if match[0][:1] in b"'\"$" else last
            at = match.end()
            continue
        sign = data[at : at + 1]
        if depth == 0 and sign in {b",", b")", b";"}:
            break
        depth += (sign == b"(") - (sign == b")")
        at += 1
        last = last if sign.isspace() else at
    return last


def statement_end(source: Source, statement: Statement) -> int | None:
    """Return the place behind the semicolon of a statement; None when it has none."""
    at = skip_blank(source.data, statement.end)
    return at + 1 if source.data[at : at + 1] == b";" else None


def retyped(column: Column, new: str) -> Iterator[Edit]:
    """Give a column another type, where it is defined."""
    source = column.statement.source
    name = _NAME.match(source.data, column.offset)
    if name is None:
        return
    start = skip_blank(source.data, name.end())
    kind = _TYPE.match(source.data, start)
    if kind is not None:
        yield Edit(source.path, start, kind.end(), new)


def column_extended(column: Column, text: str) -> Iterator[Edit]:
    """Add words to the end of a column's definition."""
    source = column.statement.source
    end = item_end(source.data, column.offset)
    yield Edit(source.path, end, end, f" {text}")


def followed_by(statement: Statement, sql: str) -> Iterator[Edit]:
    """Write a statement on a line of its own behind another one."""
    source = statement.source
    end = statement_end(source, statement)
    if end is not None:
        rest = re.compile(rb"[ \t]*--[^\n]*").match(source.data, end)
        at = rest.end() if rest else end
        yield Edit(source.path, at, at, f"\n{sql}")


def found_within(
    statement: Statement, offset: int, pattern: str, change: Callable[[re.Match[bytes]], str]
) -> Iterator[Edit]:
    """Change the first match of a pattern in the item of a list that begins at `offset`."""
    data = statement.source.data
    end = item_end(data, offset)
    match = re.compile(pattern.encode(), re.IGNORECASE).search(data, offset, end)
    if match is not None:
        yield Edit(statement.source.path, match.start(), match.end(), change(match))


def check_extended(statement: Statement, offset: int, condition: str) -> Iterator[Edit]:
    """Add a condition to a CHECK whose condition is one comparison, or several joined by AND."""
    data = statement.source.data
    opening = data.find(b"(", offset)
    end = closing(data, opening) if opening >= 0 else -1
    if end >= 0:
        while data[end - 1 : end].isspace():
            end -= 1
        yield Edit(statement.source.path, end, end, f" AND {condition}")


def is_made_here(context: Context, column: Column, table: Table) -> bool:
    """Return whether a column is defined with its table, in a file not yet applied."""
    return (
        column.statement is table.statement
        and column.statement.kind == "CreateStmt"
        and context.is_new(table, column.statement.source)
    )


def is_before(context: Context, first: Statement, second: Statement) -> bool:
    """Return whether a statement runs before another."""
    if first.source is second.source:
        return first.start < second.start
    order = [id(reading.source) for reading in context.ups()]
    places = [order.index(id(s.source)) for s in (first, second) if id(s.source) in order]
    return len(places) == 2 and places[0] < places[1]


def routines_naming(context: Context, name: str) -> bool:
    """Return whether the body of a routine speaks of a table, or of something of its name."""
    word = re.compile(rf"\b{re.escape(name)}\b", re.IGNORECASE)
    return any(word.search(routine.body) for routine in context.schema.routines.values())
