"""Markers inside migration files: where up ends, where down begins, and how the file is sent.

Each runner has its own comments. This module knows them all and turns one file's text into the
texts of its two directions, with everything else blanked out in place.
"""

import re
from dataclasses import dataclass

from tradewright.review.source.text import Wrapping


@dataclass(frozen=True, slots=True)
class Sections:
    """One file's two directions; a direction that the file does not hold is None."""

    up: str | None
    down: str | None
    wrapping: Wrapping | None
    layout: str | None


_MARKS = re.compile(
    r"""^[ \t]*(?:
        --[ \t]*migrate:(?P<dbmate>up|down)(?P<dbmate_options>[^\n]*)
      | --[ \t]*\+goose[ \t]+(?P<goose>up|down)\b[^\n]*
      | --[ \t]*\+migrate[ \t]+(?P<sqlmigrate>up|down)(?P<sqlmigrate_options>[^\n]*)
      | (?P<tern>----[ \t]*create[ ]above[ ]/[ ]drop[ ]below[ ]----)[^\n]*
    )""",
    re.MULTILINE | re.IGNORECASE | re.VERBOSE,
)

_ROLLBACK = re.compile(r"^[ \t]*--[ \t]*rollback[ \t]+[^\n]*", re.MULTILINE | re.IGNORECASE)

_BARE = re.compile(
    r"""^[ \t]*--[!]?[ \t\-]*(?:
        \+goose[ ]+no[ ]+transaction
      | migrate:up\b[^\n]*transaction:[ ]*false
      | \+migrate[ ]+up\b[^\n]*notransaction
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

_MARK_WORDS = ("migrate:", "+goose", "+migrate", "create above")
_BARE_WORDS = ("transaction", "disable-tx", "txmode")
"""A text without these words holds no marker; looking for words is much faster than patterns."""

_LAYOUT_NAMES = {
    "dbmate": "dbmate",
    "goose": "goose",
    "sqlmigrate": "sql-migrate",
    "tern": "tern",
}


def blank(text: str) -> str:
    """Return the text with every character but line ends turned into a space of equal bytes."""
    return re.sub(r"[^\n]", lambda match: " " * len(match.group().encode()), text)


def read_sections(text: str) -> Sections:
    """Divide a file by the markers in it."""
    if "--" not in text:
        return Sections(text, None, None, None)
    lowered = text.lower()
    said = any(word in lowered for word in _BARE_WORDS)
    wrapping = Wrapping.BARE if said and _BARE.search(text) else None
    marks = list(_MARKS.finditer(text)) if any(word in lowered for word in _MARK_WORDS) else []
    if marks:
        return _divided(text, marks, wrapping)
    if lowered.lstrip().startswith("--liquibase formatted sql"):
        return _liquibase(text, wrapping)
    return Sections(text, None, wrapping, None)


def _divided(text: str, marks: list[re.Match[str]], wrapping: Wrapping | None) -> Sections:
    layout = _LAYOUT_NAMES[_kind(marks[0])]
    parts: dict[str, list[str]] = {"up": [], "down": []}
    bounds = [(0, "up" if layout == "tern" else "none")]
    bounds += [(mark.start(), _direction(mark)) for mark in marks]
    for index, (start, direction) in enumerate(bounds):
        end = bounds[index + 1][0] if index + 1 < len(bounds) else len(text)
        for name, part in parts.items():
            part.append(text[start:end] if name == direction else blank(text[start:end]))
    has_down = any(direction == "down" for _, direction in bounds)
    return Sections(
        "".join(parts["up"]), "".join(parts["down"]) if has_down else None, wrapping, layout
    )


def _kind(mark: re.Match[str]) -> str:
    return next(name for name in _LAYOUT_NAMES if mark[name])


def _direction(mark: re.Match[str]) -> str:
    return "down" if mark["tern"] else str(mark[_kind(mark)]).lower()


def _liquibase(text: str, wrapping: Wrapping | None) -> Sections:
    """Turn the lines `--rollback SQL` into the down direction."""
    if not _ROLLBACK.search(text):
        return Sections(text, None, wrapping, "liquibase")
    down = []
    for line in text.splitlines(keepends=True):
        match = re.match(r"[ \t]*--[ \t]*rollback[ \t]+", line, re.IGNORECASE)
        down.append(blank(match.group()) + line[match.end() :] if match else blank(line))
    return Sections(text, "".join(down), wrapping, "liquibase")
