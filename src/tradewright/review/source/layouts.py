"""Finding migrations: every common layout of files, recognised by itself.

Pairs `NNN_name.sql` with `NNN_name.down.sql`, `.up.sql` with `.down.sql`, `.do.` with `.undo.`,
yoyo's `.rollback.sql`, Flyway's `V`, `U` and `R`, folders holding `up.sql` and `down.sql`,
prisma's folders with `migration.sql`, sqitch's `deploy`, `revert` and plan, and the single-file
layouts that `sections` divides.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tradewright.core.errors import ErrorCode, InputError
from tradewright.review.source.sections import read_sections
from tradewright.review.source.text import Direction, Source, Wrapping

_NUMBER = re.compile(r"\d+")
_FLYWAY = re.compile(r"^(?P<kind>[VUR])(?P<version>[\d._]*)__(?P<name>.+)\.sql$")
_DOWN_SUFFIX = re.compile(r"[._](?:down|undo|rollback|revert)\.sql$", re.IGNORECASE)
_UP_SUFFIX = re.compile(r"(?:[._](?:up|do))?\.sql$", re.IGNORECASE)
_DOWN_FOLDERS = frozenset({"revert", "down", "rollback", "undo"})
_SKIPPED_FOLDERS = frozenset({"verify", "node_modules", "__pycache__"})
_SKIPPED_FILES = frozenset({"queries.sql", "current.sql"})


def read_folder(folder: Path) -> list[Source]:
    """Return every migration of a folder (or a single file), in the order of the runner.

    Up sources come first in version order, then down sources.

    Raises:
        InputError: INPUT_REVIEW_FOLDER_EMPTY when there is no SQL file.

    """
    root = folder if folder.is_dir() else folder.parent
    paths = list(_sql_files(folder)) if folder.is_dir() else [(str(folder), (), folder.name)]
    if not paths or not folder.exists():
        raise InputError(
            ErrorCode.INPUT_REVIEW_FOLDER_EMPTY,
            f'no migration found in "{folder}"',
            why="The review reads files that end in .sql, in the folder and below it.",
            hint="Give the folder that holds the migrations.",
            facts={"folder": folder},
        )
    plan = _sqitch_order(root)
    sources = [
        source
        for path, folders, name in paths
        for source in _read_file(path, _named(name, folders, plan))
    ]
    return _paired(sources)


def _sql_files(folder: Path) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Yield path, folders below the given one, and name of each file, as the runner sorts them."""
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if name not in _SKIPPED_FOLDERS and not name.startswith(".")
        )
        below = Path(here).relative_to(folder).parts
        for name in sorted(files):
            if name.endswith(".sql") and name not in _SKIPPED_FILES:
                yield os.path.join(here, name), below, name  # noqa: PTH118 (hundreds of them)


@dataclass(slots=True)
class _Named:
    """What a file's name and folders tell of it."""

    label: str
    version: tuple[int | str, ...]
    direction: Direction
    layout: str
    repeatable: bool = False
    wrapping: Wrapping = Wrapping.WRAPPED


def _read_file(path: str, named: _Named) -> Iterator[Source]:
    with open(path, "rb") as file:  # noqa: PTH123 (hundreds of them)
        raw = file.read()
    text = raw.decode("utf-8", "replace").replace("\x00", "\ufffd")
    if text.startswith("\ufeff"):
        text = "   " + text[1:]
    sections = read_sections(text)
    bare = named.layout == "flyway" and _script_config_says_bare(Path(path))
    parts = [(Direction.UP, sections.up), (Direction.DOWN, sections.down)]
    if named.direction is Direction.DOWN:
        parts = [(Direction.DOWN, text)]
    for direction, part in parts:
        if part is not None:
            yield Source(
                path=path.replace(os.sep, "/"),
                text=part,
                version=named.version,
                label=named.label,
                direction=direction,
                wrapping=sections.wrapping or (Wrapping.BARE if bare else named.wrapping),
                layout=sections.layout or named.layout,
                repeatable=named.repeatable,
                has_down=sections.down is not None and direction is Direction.UP,
                raw=raw[:4],
            )


def _named(name: str, folders: tuple[str, ...], plan: dict[str, int]) -> _Named:
    flyway = _FLYWAY.match(name)
    if flyway:
        return _flyway(flyway)
    lowered = name.lower()
    if lowered in {"up.sql", "down.sql", "migration.sql"}:
        layout = "prisma" if lowered == "migration.sql" else "folders"
        direction = Direction.DOWN if lowered == "down.sql" else Direction.UP
        label = folders[-1] if folders else ""
        return _Named(label, _version(label), direction, layout)
    below = {part.lower() for part in folders}
    down = bool(below & _DOWN_FOLDERS)
    if plan:
        stem = "/".join((*folders[1:], name[:-4]))
        direction = Direction.DOWN if down else Direction.UP
        version = (plan.get(stem, len(plan)), stem)
        return _Named(stem, version, direction, "sqitch", wrapping=Wrapping.BARE)
    suffix = _DOWN_SUFFIX.search(name)
    label = name[: suffix.start()] if suffix else _UP_SUFFIX.sub("", name)
    layout = "golang-migrate" if lowered.endswith(".up.sql") else "numbered"
    direction = Direction.DOWN if down or suffix else Direction.UP
    return _Named(label, _version(label), direction, layout)


def _flyway(match: re.Match[str]) -> _Named:
    kind = match["kind"]
    numbers: tuple[int | str, ...] = tuple(int(n) for n in _NUMBER.findall(match["version"]))
    version = (1, 0, match["name"]) if kind == "R" else (0, *numbers)
    label = f"{match['version']}__{match['name']}"
    direction = Direction.DOWN if kind == "U" else Direction.UP
    return _Named(label, version, direction, "flyway", repeatable=kind == "R")


def _version(label: str) -> tuple[int | str, ...]:
    """Return a key that sorts `2_x` before `10_x`, and unnumbered files last by name."""
    match = re.match(r"[^\d]*?(\d+(?:[._-]\d+)*)", label)
    if match is None:
        return (1, label)
    numbers = tuple(int(number[:30]) for number in _NUMBER.findall(match.group(1)))
    return (0, *numbers, label[match.end() :])


def _sqitch_order(root: Path) -> dict[str, int]:
    """Return change name → place in sqitch.plan, empty when there is no plan."""
    for folder in (root, root.parent):
        plan = folder / "sqitch.plan"
        if plan.is_file():
            lines = plan.read_text("utf-8", "replace").splitlines()
            names = [line.split()[0] for line in lines if line.strip() and line[0] not in "%#@-"]
            return {name: index for index, name in enumerate(names)}
    return {}


def _script_config_says_bare(path: Path) -> bool:
    config = path.with_name(path.name + ".conf")
    return config.is_file() and "executeintransaction=false" in config.read_text(
        "utf-8", "replace"
    ).lower().replace(" ", "")


def _paired(sources: list[Source]) -> list[Source]:
    """Order the sources and tell each up whether its down exists."""
    downs = {_pair_key(s) for s in sources if s.direction is Direction.DOWN}
    layouts = {_pair_key(s): _paired_layout(s) for s in sources if s.direction is Direction.UP}
    return sorted((_beside(s, downs, layouts) for s in sources), key=_order)


def _beside(source: Source, downs: set[str], layouts: dict[str, str]) -> Source:
    key = _pair_key(source)
    if source.direction is Direction.DOWN and source.layout == "numbered":
        return replace(source, layout=layouts.get(key, "numbered"))
    if source.direction is Direction.UP and key in downs and not source.has_down:
        return replace(source, has_down=True, layout=_paired_layout(source))
    return source


def _paired_layout(source: Source) -> str:
    """Return `tradewright` for NNN_name.sql beside NNN_name.down.sql, which is its own layout."""
    return "tradewright" if source.layout == "numbered" else source.layout


def _pair_key(source: Source) -> str:
    return source.label.partition("__")[0] if source.layout == "flyway" else source.label


def _order(source: Source) -> tuple[object, ...]:
    numbers = tuple((0, p, "") if isinstance(p, int) else (1, 0, p) for p in source.version)
    return (source.direction is Direction.DOWN, source.version[0], numbers, source.path)
