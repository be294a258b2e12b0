"""Strings and comments as PostgreSQL writes them, before anything else is read.

MySQL escapes with backslashes, takes double quotes for strings and # for a comment. A text in
which these are PostgreSQL's can be divided and read by the same code as any other.
"""

import re

from tradewright.review.rewrite.mysql.draft import literal

_QUOTED = re.compile(
    r"""(?P<string>'(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*")
      | (?P<run>/\*!\d*\s?) | (?P<other>`[^`]*` | --[^\n]* | /\*(?!!).*?\*/)
      | (?P<comment>\#) | (?P<end>\s?\*/)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "Z": "\x1a"}


def with_our_quotes(text: str) -> str:
    """Return a text of MySQL with PostgreSQL's strings and comments; lines stay lines.

    A comment that MySQL would run (`/*!50003 ... */`) is text like any other. A string whose value
    holds a backslash, or a line end written as an escape, stays as it is and is refused where it
    is used.
    """
    return _QUOTED.sub(_quoted, text)


def _quoted(match: re.Match[str]) -> str:
    if match["run"] or match["end"]:
        return ""
    if match["comment"] or match["other"]:
        return match["other"] or "--"
    raw = match["string"]
    if raw[0] == "'" and "\\" not in raw:
        return raw
    value = _value(raw)
    hidden = set(value) & set("\0\b\x1a\n\r") - set(raw)
    return raw if hidden or "\\" in value else literal(value)


def _value(raw: str) -> str:
    inside = raw[1:-1].replace(raw[0] * 2, raw[0])
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], _plain(match[1])), inside)


def _plain(sign: str) -> str:
    return f"\\{sign}" if sign in "%_" else sign
