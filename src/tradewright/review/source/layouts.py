"""Finding migrations to be reviewed: every layout of files, whatever stands beside them.

What names and marks tell is known in `migrate`, for the runner and for the review alike. The
runner refuses what does not fit; here it is read all the same, so that the review can say why.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tradewright.core.errors import ErrorCode, InputError
from tradewright.migrate.naming import (
    Direction,
    Named,
    name_of,
    script_wants_no_transaction,
    sqitch_plan,
)
from tradewright.migrate.sections import Part, read_sections
from tradewright.review.source.dialects import mask
from tradewright.review.source.text import SAMPLE_BYTES, Source, Wrapping

_NUMBER = re.compile(r"\d+")
_LEADING = re.compile(r"[A-Za-z]?(?P<numbers>\d+(?:[._-]\d+)*)")
_INNER = re.compile(r"(?<=[._ -])[vV]?(?P<numbers>\d+(?:[._-]\d+)*)(?![A-Za-z\d])")
_BEGIN = re.compile(
    r"^[ \t]*(?:BEGIN|START[ \t]+TRANSACTION)(?:[ \t]+(?:TRANSACTION|WORK))?[ \t]*;",
    re.IGNORECASE | re.MULTILINE,
)
_COMMIT = re.compile(
    r"^[ \t]*COMMIT(?:[ \t]+(?:TRANSACTION|WORK))?[ \t]*;", re.IGNORECASE | re.MULTILINE
)
_ONE_MESSAGE = frozenset({"golang-migrate", "prisma"})
"""Layouts of tools that send a file as it is: more than one statement are one transaction."""
_SKIPPED_FOLDERS = frozenset({"verify", "node_modules", "__pycache__"})
_SKIPPED_FILES = frozenset({"queries.sql", "current.sql"})

Version = tuple[int | str, ...]


def read_folder(folder: Path) -> list[Source]:
    """Return every migration of a folder (or a single file), in the order of the runner.

    Up sources come first in version order, then down sources.

    Raises:
        InputError: INPUT_REVIEW_FOLDER_EMPTY when there is no SQL file.

    """
    root = folder if folder.is_dir() else folder.parent
    paths = list(_sql_files(folder)) if folder.is_dir() else [(str(folder), (), folder.name, [])]
    if not paths or not folder.exists():
        is_there = folder.exists()
        raise InputError(
            ErrorCode.INPUT_REVIEW_FOLDER_EMPTY,
            f'no migration found in "{folder}"' if is_there else f'there is no "{folder}"',
            why="The review reads files that end in .sql, in the folder and below it.",
            hint="Give the folder that holds the migrations.",
            facts={"folder": folder},
        )
    plan = sqitch_plan(root)
    sources = [
        source
        for path, folders, name, beside in paths
        for source in _read_file(
            path, name_of(name, folders, beside=beside, planned=bool(plan)), plan
        )
    ]
    return _paired(sources)


def read_standing(path: Path, label: str = "schema") -> Source:
    """Return the schema that stands before the first migration; pg_dump may have written it.

    Raises:
        InputError: MIGRATION_FILE_UNREADABLE.

    """
    raw = _bytes_of(str(path))
    return Source(
        path=str(path).replace(os.sep, "/"),
        text=_text_of(raw),
        version=(0,),
        label=label,
        wrapping=Wrapping.BARE,
        layout="standing",
        standing=True,
        sample=raw[:SAMPLE_BYTES],
    )


def _sql_files(folder: Path) -> Iterator[tuple[str, tuple[str, ...], str, list[str]]]:
    """Yield path, folders below the given one, name, and names beside it, of each file."""
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if name not in _SKIPPED_FOLDERS and not name.startswith(".")
        )
        below = Path(here).relative_to(folder).parts
        for name in sorted(files):
            if name.endswith(".sql") and name not in _SKIPPED_FILES:
                yield os.path.join(here, name), below, name, files  # noqa: PTH118 (hundreds of them)


def _read_file(path: str, named: Named, plan: dict[str, int]) -> Iterator[Source]:
    raw = _bytes_of(path)
    text = _text_of(raw)
    sections = read_sections(text)
    parts = [(Direction.UP, sections.up), (Direction.DOWN, sections.down)]
    if named.direction is Direction.DOWN:
        parts = [(Direction.DOWN, Part(((0, len(text)),), sections.is_bare))]
    version, is_bare = _version(named, plan), _runner_is_bare(path, named)
    layout = sections.layout or named.layout
    for direction, part in parts:
        if part is not None:
            yield Source(
                path=path.replace(os.sep, "/"),
                text=part.blanked(text),
                version=version,
                label=named.label,
                direction=direction,
                wrapping=Wrapping.BARE if part.bare or is_bare else _wrapping(layout),
                layout=layout,
                repeatable=named.repeatable,
                has_down=sections.down is not None and direction is Direction.UP,
                undecodable=_undecodable(raw),
                sample=raw[:SAMPLE_BYTES],
            )


def _bytes_of(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (hundreds of them)
            return file.read()
    except OSError as error:
        raise InputError(
            ErrorCode.MIGRATION_FILE_UNREADABLE,
            f'file "{path}" cannot be read: {error.strerror}',
            why="A review that leaves a file out would say too little.",
            hint="Give the file back its rights, remove a link that leads nowhere, or exclude it.",
            facts={"path": path},
        ) from None


def _text_of(raw: bytes) -> str:
    """Return a file's text, as long in bytes as the file; nothing of what is no text."""
    if b"\0" in raw[:SAMPLE_BYTES]:
        return ""
    text = raw.decode("utf-8", "replace").replace("\0", "\ufffd")
    return "   " + text[1:] if text.startswith("\ufeff") else text


def _undecodable(raw: bytes) -> int:
    """Return the first byte that is not UTF-8, or -1; of what is no text another word is said."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return -1 if b"\0" in raw[:SAMPLE_BYTES] else error.start
    return -1


def _runner_is_bare(path: str, named: Named) -> bool:
    """Return whether the tool itself sends this file without a transaction."""
    if named.layout == "sqitch":
        return True
    return named.layout == "flyway" and script_wants_no_transaction(Path(path))


def _wrapping(layout: str) -> Wrapping:
    return Wrapping.IMPLICIT if layout in _ONE_MESSAGE else Wrapping.WRAPPED


def _version(named: Named, plan: dict[str, int]) -> Version:
    """Return a key that sorts `2_x` before `10_x`, and files that no number leads last by name."""
    label = named.label
    if named.layout == "sqitch":
        return (plan.get(label, len(plan)), label)
    if named.repeatable:
        return (1, 0, label)
    match = _LEADING.match(label)
    if match is not None:
        last = "" if named.layout == "flyway" else label[match.end() :]
        return (0, *_numbers(match), last)
    match = _INNER.search(label)
    if match is None:
        return (1, label)
    return (1, label[: match.start()], *_numbers(match), label[match.end() :])


def _numbers(match: re.Match[str]) -> tuple[int, ...]:
    return tuple(int(number[:30]) for number in _NUMBER.findall(match["numbers"]))


def _paired(sources: list[Source]) -> list[Source]:
    """Order the sources and tell each up whether its down exists."""
    downs = {_pair_key(s): s.layout for s in sources if s.direction is Direction.DOWN}
    layouts = {_pair_key(s): _paired_layout(s) for s in sources if s.direction is Direction.UP}
    return sorted((_beside(s, downs, layouts) for s in sources), key=_order)


def _beside(source: Source, downs: dict[str, str], layouts: dict[str, str]) -> Source:
    key = _pair_key(source)
    if source.direction is Direction.DOWN and source.layout == "numbered":
        layout = layouts.get(key, "numbered")
        is_wrapped = source.wrapping is Wrapping.WRAPPED
        wrapping = _wrapping(layout) if is_wrapped else source.wrapping
        return replace(source, layout=layout, wrapping=wrapping)
    if source.direction is Direction.UP and key in downs and not source.has_down:
        layout = "yoyo" if downs[key] == "yoyo" else _paired_layout(source)
        return replace(source, has_down=True, layout=layout)
    if source.layout == "numbered" and _has_own_transaction(source):
        return replace(source, wrapping=Wrapping.BARE)
    return source


def _has_own_transaction(source: Source) -> bool:
    """Return whether a file begins and commits by itself, as one does that psql is to run."""
    if "commit" not in source.lowered or _COMMIT.search(source.text) is None:
        return False
    visible = mask(source.text)
    return _BEGIN.search(visible) is not None and _COMMIT.search(visible) is not None


def _paired_layout(source: Source) -> str:
    """Return `tradewright` for NNN_name.sql beside NNN_name.down.sql, which is its own layout."""
    return "tradewright" if source.layout == "numbered" else source.layout


def _pair_key(source: Source) -> str:
    return source.label.partition("__")[0] if source.layout == "flyway" else source.label


def _order(source: Source) -> tuple[object, ...]:
    version = (0, source.label) if source.layout == "prisma" else source.version
    numbers = tuple((1, p, "") if isinstance(p, int) else (0, 0, p) for p in version)
    return (source.direction is Direction.DOWN, source.version[0], numbers, source.path)
