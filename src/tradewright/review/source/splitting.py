"""Dividing refused text into statements, so that one error does not hide the rest.

PostgreSQL's parser takes a file as a whole. When it refuses, the file is divided here at the
semicolons outside of quotes, comments, dollar quotes and bodies, minding MySQL's DELIMITER,
T-SQL's GO lines, psql's backslash commands and the data of COPY.
"""

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""
      (?P<line>--[^\n]*)
    | (?P<block>/\*)
    | (?P<string>'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`\n]*`)
    | (?P<dollar>\$(?:[A-Za-z_]\w*)?\$)
    | (?P<delimiter>^[ \t]*DELIMITER[ \t]+(?P<mark>\S+)[^\n]*)
    | (?P<meta>^[ \t]*\\[^\n]*)
    | (?P<go>^[ \t]*(?:GO|/)[ \t]*$)
    | (?P<copy>\bFROM\s+STDIN\b[^;]{0,500};[^\n]*\n)
    | (?P<atomic>\bBEGIN\s+ATOMIC\b)
    | (?P<end>;)
    """,
    re.VERBOSE | re.MULTILINE | re.IGNORECASE,
)
_ATOMIC_END = re.compile(r"\bEND\s*;", re.IGNORECASE)
_SEARCHES_MAX = 1000


class _Splitter:
    """One pass over a text; keeps where the current statement began."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.start = 0
        self.at = 0
        self.mark = ";"
        self.searches = 0
        self.absent: set[str] = set()

    def run(self) -> Iterator[tuple[int, int]]:
        while match := _TOKEN.search(self.text, self.at):
            custom = self._custom_mark(match.start() + len(self.mark))
            if custom >= 0:
                yield self.start, custom
                self.start = self.at = custom + len(self.mark)
                continue
            kind = match.lastgroup if match.lastgroup != "mark" else "delimiter"
            self.at = self._after(str(kind), match)
            if kind in {"delimiter", "meta", "go", "copy"} or (kind == "end" and self.mark == ";"):
                yield self.start, match.end() if kind == "copy" else match.start()
                self.start = self.at
        custom = self._custom_mark(len(self.text))
        if custom >= 0:
            yield self.start, custom
            self.start = custom + len(self.mark)
        yield self.start, len(self.text)

    def _custom_mark(self, before: int) -> int:
        """Return where MySQL's own end mark stands before the next token, or -1."""
        return self.text.find(self.mark, self.at, before) if self.mark != ";" else -1

    def _after(self, kind: str, match: re.Match[str]) -> int:
        if kind == "delimiter":
            self.mark = match["mark"]
        if kind == "block":
            return self._find("*/", match.end())
        if kind == "dollar":
            return self._find(match.group(), match.end())
        if kind == "copy":
            return self._find("\n\\.", match.end() - 1)
        if kind == "atomic":
            return self._end_of_atomic(match.end())
        return match.end()

    def _end_of_atomic(self, start: int) -> int:
        closed = None if "END" in self.absent else _ATOMIC_END.search(self.text, start)
        if closed is None:
            self.absent.add("END")
            return start
        return closed.end() - 1

    def _find(self, mark: str, start: int) -> int:
        """Return the place behind a closing mark; a mark once missed is not looked for again."""
        if mark in self.absent:
            return start
        self.searches += 1
        end = self.text.find(mark, start) if self.searches < _SEARCHES_MAX else -1
        if end < 0:
            self.absent.add(mark)
            return start
        return end + len(mark)


_LEADING = re.compile(r"(?:\s+|--[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)+")


def split(text: str) -> Iterator[tuple[int, int]]:
    """Yield the character bounds of each statement, without leading comments and end mark."""
    for start, end in _Splitter(text).run():
        lead = _LEADING.match(text, start, end)
        begin = lead.end() if lead else start
        if text[begin:end].strip():
            yield begin, begin + len(text[begin:end].rstrip())
