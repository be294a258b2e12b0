"""Dynamic SQL is put together by || without quoting.

A name with a capital letter, a blank or a quote breaks the statement; one that a user chose runs
as SQL of the function's owner.

Instead of::

    CREATE FUNCTION clear(p_table text) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        EXECUTE 'TRUNCATE ' || p_table;
    END $$;

Use::

    CREATE FUNCTION clear(p_table text) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        EXECUTE format('TRUNCATE %I', p_table);
    END $$;

Not reported when every joined part is a literal or goes through quote_ident, quote_literal,
quote_nullable or format, or is the result of another function.
"""

import re
from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule

_STRING = re.compile(r"'(?:[^']|'')*'")
_QUOTED = re.compile(
    r"\b(?:quote_ident|quote_literal|quote_nullable|format)\s*\((?:[^()]|\([^()]*\))*\)",
    re.IGNORECASE,
)
_JOINED = re.compile(r"\|\|\s*([A-Za-z_][\w.]*)(?![\w.(])|([A-Za-z_][\w.]*)\s*\|\|")


def _check(_: Context, event: Event) -> Iterator[Hit]:
    body = event.body
    if body is None:
        return
    name = event.routine.name if event.routine is not None else event.source.label
    for text, offset in body.dynamic:
        statement = text.partition(" USING ")[0]
        bare = _QUOTED.sub("''", _STRING.sub("''", statement))
        match = _JOINED.search(bare)
        if match:
            part = match[1] or match[2]
            if not part.isupper():
                message = f'"{name}" joins {part} into SQL without quoting it'
                advice = "Use format() with %I for names and %L for values, or USING for values."
                yield Hit(event.statement, offset, message, advice, f"{name}:{part}")


RULE = Rule(
    id="dynamic-sql-unquoted",
    severity=Severity.MAJOR,
    category=Category.SECURITY,
    kinds=("routine",),
    check=_check,
)
