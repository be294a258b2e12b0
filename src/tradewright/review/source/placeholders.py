"""Placeholders of templates and of psql, and the text with values or names in their place.

Whose value is known is replaced wherever it stands. A text that does not parse then is read once
more with each other placeholder written as a name of the same length. Values stay on their line,
so that everything else can be judged at its true place.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from tradewright.review.source.dialects import mask
from tradewright.review.source.text import FilledIn, Source

_PLACEHOLDER = re.compile(
    r"""(?P<control>\{%[^{}\n]*%\}|<%(?!=)[^%\n]*%>)
      | \{\{[^{}\n]*\}\} | \$\{[A-Za-z_][\w:.]*\} | %\([A-Za-z_]\w*\)s | <%=[^%\n]*%>
      | @@[A-Za-z_]+@@ | \#\[[A-Za-z_]\w*\]
      | (?<![:\w)\]]):(?P<psql>'[^'\n]+'|"[^"\n]+"|(?!(?:new|old)\b)[A-Za-z_]\w*)
    """,
    re.VERBOSE | re.IGNORECASE,
)


def with_values(source: Source, values: Mapping[str, str]) -> Source:
    """Return a source with values for the placeholders whose names have one.

    Placeholders of Flyway, Liquibase and templates are replaced wherever they stand, as their tools
    do it; those of psql and of the shell only outside of comments and strings.
    """
    if not any(name in source.text for name in values):
        return source
    visible = mask(source.text)
    parts, filled, end, size = [], [], 0, 0
    for match in _named(values).finditer(source.text):
        plain = match["shell"] or match["psql"]
        if plain and visible[match.start()] != match[0][0]:
            continue
        parts += [source.text[end : match.start()], _valued(match, values)]
        size += len(parts[-2].encode("utf-8", "replace"))
        filled.append(FilledIn(size, match[0], parts[-1]))
        size += len(parts[-1].encode("utf-8", "replace"))
        end = match.end()
    if not filled:
        return source
    text = "".join([*parts, source.text[end:]])
    return replace(source, text=text, written=source.text, values=tuple(filled))


def _named(names: Iterable[str]) -> re.Pattern[str]:
    """Return the pattern of placeholders with these names, in all the forms that tools know."""
    one = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(
        rf"""\$\{{(?P<dollar>{one})(?::?-[^}}\n]*)?\}} | \{{\{{\s*\.?(?P<braces>{one})\s*\}}\}}
          | %\((?P<percent>{one})\)s | <%=\s*(?P<erb>{one})\s*%> | @@(?P<at>{one})@@
          | \#\[(?P<hash>{one})\]
          | (?<![\w$])\$(?P<shell>{one})(?![\w$])
          | (?<![:\w)\]]):(?P<quote>['"]?)(?P<psql>{one})(?P=quote)(?!\w)
        """,
        re.VERBOSE,
    )


def _valued(match: re.Match[str], values: Mapping[str, str]) -> str:
    """Return a placeholder's value on one line, quoted where psql is asked to quote it."""
    named = {key: name for key, name in match.groupdict().items() if name and key != "quote"}
    value = " ".join(values[next(iter(named.values()))].split("\n"))
    quote = match["quote"] if match["psql"] else ""
    return f"{quote}{value.replace(quote, quote * 2)}{quote}" if quote else value


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
    written = text if source.written is None else source.written
    return replace(source, text=filled, written=written, placeholders=offsets)


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
