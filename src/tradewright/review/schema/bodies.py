"""The SQL inside PL/pgSQL: function bodies and DO blocks, statement by statement.

Control words are stepped over and the SQL behind them is parsed on its own, so that every rule
that reads SQL in a file reads it in functions too, at its true line. Text that cannot be read is
left out: a body's errors are PostgreSQL's to report.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tradewright.review.source.parser import ParseError, parse
from tradewright.review.source.text import Source, Statement

_QUIET = re.compile(
    r"--[^\n]*|/\*(?:.*?\*/|.*)|'(?:[^']|'')*'"
    r"|(?<!\w)\$(?P<tag>[A-Za-z_]\w*|)\$(?:.*?\$(?P=tag)\$|.*)",
    re.DOTALL,
)
_INTO = re.compile(
    r"(?<!\bINSERT)(?<!\bMERGE)(?P<into>\s+\bINTO\s+(?:STRICT\s+)?"
    r"[A-Za-z_\"][\w.\"\[\]]*(?:\s*,\s*[A-Za-z_\"][\w.\"\[\]]*)*)",
    re.IGNORECASE,
)
_STEP = re.compile(
    r"""\s*(?:
        (?P<condition>(?:IF|ELSIF|ELSEIF|WHILE|UNTIL|WHEN)\b(?P<test>.*?)\b(?:THEN|LOOP)\b)
      | (?P<loop>(?:FOR|FOREACH)\b.*?\bIN\b(?:\s+ARRAY\b|\s+REVERSE\b)?(?P<rows>.*?)\bLOOP\b)
      | (?P<word>BEGIN|ELSE|LOOP|EXCEPTION|<<\w+>>|RETURN\s+QUERY)(?=\W|$)
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_SQL = re.compile(
    r"(?:SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|TRUNCATE|CREATE|ALTER|DROP|LOCK|REFRESH|SET|CALL|"
    r"GRANT|REVOKE|ANALYZE|VACUUM|COMMENT)\b",
    re.IGNORECASE,
)
_PERFORM = re.compile(r"PERFORM\b", re.IGNORECASE)
_ENDING = re.compile(r"(?P<word>COMMIT|ROLLBACK|START\s+TRANSACTION)\b", re.IGNORECASE)
_DYNAMIC = re.compile(r"EXECUTE\b(?!\s+(?:FUNCTION|PROCEDURE))", re.IGNORECASE)
_CONSTANT = re.compile(
    r"EXECUTE\s+(?:'(?P<text>[^']*)'|\$(?P<tag>[A-Za-z_]\w*|)\$(?P<block>.*)\$(?P=tag)\$)\s*",
    re.IGNORECASE | re.DOTALL,
)
_ASSIGNMENT = re.compile(r"[\w.\"\[\]]+\s*(?::=|=)", re.IGNORECASE)
_DECLARE = re.compile(r"\bDECLARE\b", re.IGNORECASE)
_BEGIN = re.compile(r"\bBEGIN\b", re.IGNORECASE)


@dataclass(slots=True, eq=False, repr=False)
class Body:
    """What a body does: its SQL, its dynamic SQL and its attempts to end the transaction."""

    statements: list[Statement] = field(default_factory=list)
    dynamic: list[tuple[str, int]] = field(default_factory=list)
    endings: list[tuple[str, int]] = field(default_factory=list)
    quiet: str = ""
    start: int = 0


def hush(body: str) -> str:
    """Return the body with comments and quoted text blanked in place (characters)."""
    return _QUIET.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), body)


def read_body(source: Source, body: str, start: int) -> Body:
    """Read a PL/pgSQL body that begins at byte `start` of the source."""
    quiet = hush(body)
    result = Body(quiet=quiet, start=start)
    quiet = _without_declarations(quiet)
    reader = _Reader(source, body, quiet, result)
    at = 0
    while at < len(quiet):
        end = quiet.find(";", at)
        end = len(quiet) if end < 0 else end
        reader.read(at, end)
        at = end + 1
    return result


def _without_declarations(quiet: str) -> str:
    """Blank out what stands between DECLARE and BEGIN."""
    parts, at = [], 0
    while declare := _DECLARE.search(quiet, at):
        begin = _BEGIN.search(quiet, declare.end())
        if begin is None:
            break
        parts += [quiet[at : declare.start()], " " * (begin.start() - declare.start())]
        at = begin.start()
    return "".join([*parts, quiet[at:]])


@dataclass(slots=True, eq=False, repr=False)
class _Reader:
    source: Source
    body: str
    quiet: str
    result: Body

    def read(self, at: int, end: int) -> None:
        """Read the text between two semicolons: control words, then one statement."""
        while step := _STEP.match(self.quiet, at, end):
            for name in ("test", "rows"):
                if step[name]:
                    self._expression(step.start(name), step.end(name))
            at = step.end()
        while at < end and self.quiet[at].isspace():
            at += 1
        self._statement(at, end)

    def _statement(self, at: int, end: int) -> None:
        quiet = self.quiet
        if ending := _ENDING.match(quiet, at, end):
            self.result.endings.append((ending["word"].upper(), self._byte(at)))
        elif _DYNAMIC.match(quiet, at, end):
            self.result.dynamic.append((self.body[at:end], self._byte(at)))
            if constant := _CONSTANT.fullmatch(self.body, at, end):
                part = "block" if constant["text"] is None else "text"
                self._parse(constant[part], constant.start(part))
        elif _PERFORM.match(quiet, at, end):
            self._parse("SELECT " + self.body[at + 7 : end], at)
        elif _SQL.match(quiet, at, end):
            self._parse(self._without_into(at, end), at)
        elif assignment := _ASSIGNMENT.match(quiet, at, end):
            self._expression(assignment.end(), end)

    def _without_into(self, at: int, end: int) -> str:
        text = self.body[at:end]
        for match in _INTO.finditer(self.quiet[at:end]):
            text = text[: match.start()] + " " * len(match.group()) + text[match.end() :]
        return text

    def _expression(self, at: int, end: int) -> None:
        quiet = self.quiet[at:end]
        if "select" not in quiet.lower():
            return
        lead = len(quiet) - len(quiet.lstrip())
        if _SQL.match(quiet, lead):
            self._parse(self.body[at + lead : end], at + lead)
        else:
            self._parse("SELECT " + self.body[at:end], at, 7)

    def _parse(self, text: str, at: int, prefix: int = 0) -> None:
        shift = self._byte(at) - prefix
        try:
            parsed = parse(text.encode("utf-8", "replace"))
        except ParseError:
            return
        self.result.statements += [
            Statement(
                self.source,
                raw.kind,
                raw.tree,
                max(raw.start, prefix) + shift,
                raw.end + shift,
                shift,
                decoded=raw.node,
            )
            for raw in parsed
        ]

    def _byte(self, character: int) -> int:
        return self.result.start + len(self.body[:character].encode("utf-8", "replace"))


_NEW_FIELD = re.compile(r"\bNEW\.(\w+)", re.IGNORECASE)


def new_fields(body: Body) -> Iterator[tuple[str, int]]:
    """Yield every `NEW.field` of a trigger's body with its byte in the file (ASCII bodies)."""
    for match in _NEW_FIELD.finditer(body.quiet):
        yield match[1].lower(), body.start + match.start()
