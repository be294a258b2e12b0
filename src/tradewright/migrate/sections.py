"""Markers inside migration files: where up ends, where down begins, and how the file is sent.

Each runner has its own comments. This module knows them all and tells which spans of a file's text
belong to which of its two directions. It looks at nothing but the text: the runner cuts the spans
out, the review blanks out the rest, so that places stay true.
"""

import re
from dataclasses import dataclass

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Part:
    """One direction of a file: its spans (characters), and whether it wants no transaction."""

    spans: tuple[Span, ...]
    bare: bool = False

    def blanked(self, text: str) -> str:
        """Return the file's text with all that is not of this direction blanked out in place."""
        if self.spans == ((0, len(text)),):
            return text
        parts, at = [], 0
        for start, end in self.spans:
            parts += [blank(text[at:start]), text[start:end]]
            at = end
        return "".join([*parts, blank(text[at:])])


@dataclass(frozen=True, slots=True)
class Sections:
    """One file's two directions; a direction that the file does not hold is None."""

    up: Part | None
    down: Part | None
    layout: str | None

    @property
    def is_bare(self) -> bool:
        """Whether any part wants no transaction."""
        return any(part is not None and part.bare for part in (self.up, self.down))


_MARKS = re.compile(
    r"""^[ \t]*(?:
        --[ \t]*migrate:(?P<dbmate>up|down)(?P<dbmate_options>[^\n]*)
      | --[ \t]*\+goose[ \t]+(?P<goose>up|down)\b[^\n]*
      | --[ \t]*\+migrate[ \t]+(?P<sqlmigrate>up|down)(?P<sqlmigrate_options>[^\n]*)
      | --[ \t-]*(?P<nodepgmigrate>up|down)[ \t]+migration\b[^\n]*
      | (?P<tern>----[ \t]*create[ ]above[ ]/[ ]drop[ ]below[ ]----)[^\n]*
    )""",
    re.MULTILINE | re.IGNORECASE | re.VERBOSE,
)

_ROLLBACK = re.compile(
    r"^[ \t]*--[ \t]*rollback[ \t]+(?P<sql>[^\n]*)", re.MULTILINE | re.IGNORECASE
)

_BARE = re.compile(
    r"""^[ \t]*--[!]?[ \t\-]*(?:
        \+goose[ ]+no[ ]+transaction
      | tern:[ ]*disable-tx
      | transactional:[ ]*false
      | no-transaction
      | atlas:txmode[ ]+none
      | changeset\b[^\n]*runInTransaction:[ ]*false
      | disable-transaction
      | tradewright:[ ]*(?:no-transaction|no\ transaction|transaction[:= ]+(?:off|none|false))
    )""",
    re.MULTILINE | re.IGNORECASE | re.VERBOSE,
)
_BARE_OPTION = re.compile(r"transaction:[ \t]*false|\bnotransaction\b", re.IGNORECASE)

_MARK_WORDS = ("migrate:", "+goose", "+migrate", " migration", "create above")
_BARE_WORDS = ("transaction", "disable-tx", "txmode")
"""A text without these words holds no marker; looking for words is much faster than patterns."""

_LAYOUT_NAMES = {
    "dbmate": "dbmate",
    "goose": "goose",
    "sqlmigrate": "sql-migrate",
    "nodepgmigrate": "node-pg-migrate",
    "tern": "tern",
}


def blank(text: str) -> str:
    """Return the text with every character but line ends turned into a space of equal bytes."""
    return re.sub(r"[^\n]", lambda match: " " * len(match.group().encode()), text)


def read_sections(text: str) -> Sections:
    """Divide a file by the markers in it."""
    whole = ((0, len(text)),)
    if "--" not in text:
        return Sections(Part(whole), None, None)
    lowered = text.lower()
    said = any(word in lowered for word in _BARE_WORDS)
    bare = said and _BARE.search(text) is not None
    marks = _marks(text) if any(word in lowered for word in _MARK_WORDS) else []
    if marks:
        return _divided(text, marks, bare=bare)
    if lowered.lstrip().startswith("--liquibase formatted sql"):
        back = tuple(match.span("sql") for match in _ROLLBACK.finditer(text))
        return Sections(Part(whole, bare), Part(back, bare) if back else None, "liquibase")
    return Sections(Part(whole, bare), None, None)


def _marks(text: str) -> list[re.Match[str]]:
    """Return the marks; "down migration" alone is a heading that anybody may write."""
    marks = list(_MARKS.finditer(text))
    headings = [str(mark["nodepgmigrate"]).lower() for mark in marks if mark["nodepgmigrate"]]
    return [mark for mark in marks if not mark["nodepgmigrate"] or "up" in headings]


def _divided(text: str, marks: list[re.Match[str]], *, bare: bool) -> Sections:
    layout = _LAYOUT_NAMES[_kind(marks[0])]
    spans: dict[str, list[Span]] = {"up": [], "down": []}
    asked = {"up": bare, "down": bare}
    if layout == "tern":
        spans["up"].append((0, marks[0].start()))
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    for mark, end in zip(marks, ends, strict=True):
        direction = "down" if mark["tern"] else str(mark[_kind(mark)]).lower()
        spans[direction].append((mark.end(), end))
        asked[direction] |= _BARE_OPTION.search(mark.group()) is not None
    up, down = (
        Part(tuple(spans[name]), asked[name]) if spans[name] else None for name in ("up", "down")
    )
    return Sections(up or Part((), asked["up"]), down, layout)


def _kind(mark: re.Match[str]) -> str:
    return next(name for name in _LAYOUT_NAMES if mark[name])
