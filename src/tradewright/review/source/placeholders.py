"""Placeholders of templates and of psql, and the text with names standing in for them.

A text that does not parse is read once more with each placeholder written as a name of the same
length, so that everything else in it can be judged at its true place.
"""

import re
from dataclasses import replace

from tradewright.review.source.dialects import mask
from tradewright.review.source.text import Source

_PLACEHOLDER = re.compile(
    r"""(?P<control>\{%[^{}\n]*%\}|<%(?!=)[^%\n]*%>)
      | \{\{[^{}\n]*\}\} | \$\{[A-Za-z_][\w:.]*\} | %\([A-Za-z_]\w*\)s | <%=[^%\n]*%>
      | @@[A-Za-z_]+@@
      | (?<![:\w)\]]):(?P<psql>'[^'\n]+'|"[^"\n]+"|(?!(?:new|old)\b)[A-Za-z_]\w*)
    """,
    re.VERBOSE | re.IGNORECASE,
)


def with_stand_ins(source: Source) -> Source:
    """Return a source with names for its placeholders; the source itself where it has none.

    What stands in strings and comments is left. In quoted bodies only those are meant that stand
    outside of them too.
    """
    text = source.text
    visible = mask(text)
    found = [m for m in _PLACEHOLDER.finditer(text) if visible[m.start()] == m[0][0]]
    if not found or not all(m[0].isascii() for m in found):
        return source
    filled = text
    for match in found:
        filled = filled[: match.start()] + _replaced(match) + filled[match.end() :]
    names = {m[0] for m in found if not m["control"]}
    for name in names:
        filled = re.sub(re.escape(name) + r"(?!\w)", stand_in(name), filled)
    offsets = tuple((source.byte_of(m.start()), m[0]) for m in found if not m["control"])
    return replace(source, text=filled, written=text, placeholders=offsets)


def as_written(source: Source, text: str) -> str:
    """Return words about a source with its placeholders in the place of their stand-ins."""
    for _, placeholder in source.placeholders:
        for name in {stand_in(placeholder), stand_in(placeholder).lower()}:
            text = text.replace(name, placeholder)
    return text


def _replaced(match: re.Match[str]) -> str:
    if match["control"]:
        return " " * len(match[0])
    return stand_in(match[0])


def stand_in(placeholder: str) -> str:
    """Return a name as long as the placeholder, or psql's quoted value without its colon."""
    if placeholder[:2] in {":'", ':"'}:
        return f" {placeholder[1:]}"
    return re.sub(r"\W", "_", placeholder)
