"""What the names of files and folders tell: which layout, which direction, what belongs together.

The one place that knows how tools name migrations. The runner asks it and refuses what does not
fit; the review asks it and reads on. It opens no file but the plan of sqitch and the settings that
Flyway keeps beside a script.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Direction(StrEnum):
    """Which way a file is run: build the schema, or take it back."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Named:
    """What a file is by its name; `label` is the same for a migration and its way back."""

    label: str
    direction: Direction
    layout: str
    repeatable: bool = False


FLYWAY_NAME = re.compile(r"(?P<kind>[VUR])(?P<version>[\d._]*)__(?P<name>.+)\.sql")
_DOWN_SUFFIX = re.compile(r"[._](?P<word>down|undo|rollback|revert)\.sql$", re.IGNORECASE)
_UP_SUFFIX = re.compile(r"(?:[._](?:up|do))\.sql$", re.IGNORECASE)
_NAMES_IN_FOLDERS = {
    "up.sql": (Direction.UP, "folders"),
    "down.sql": (Direction.DOWN, "folders"),
    "migration.sql": (Direction.UP, "prisma"),
}
DOWN_FOLDERS = frozenset({"revert", "down", "rollback", "undo"})


def name_of(
    name: str,
    folders: tuple[str, ...] = (),
    *,
    beside: Collection[str] = (),
    planned: bool = False,
) -> Named:
    """Return what a file is by its name and the folders above it, below the migrations' own.

    `beside` are the names in its folder: `001_take_down.sql` is a way back only where
    `001_take.sql` or `001_take_up.sql` stands. `planned` says that the files are sqitch's, whose
    names are paths below deploy and revert.
    """
    flyway = FLYWAY_NAME.fullmatch(name)
    if flyway:
        return _flyway(flyway)
    if name.lower() in _NAMES_IN_FOLDERS:
        direction, layout = _NAMES_IN_FOLDERS[name.lower()]
        return Named(folders[-1] if folders else "", direction, layout)
    is_down = not DOWN_FOLDERS.isdisjoint(map(str.lower, folders))
    direction = Direction.DOWN if is_down else Direction.UP
    if planned:
        return Named("/".join((*folders[1:], name.removesuffix(".sql"))), direction, "sqitch")
    suffix = _suffix(_DOWN_SUFFIX, name, (".sql", "_up.sql", "_do.sql"), beside)
    if suffix:
        layout = "yoyo" if suffix["word"].lower() == "rollback" else "numbered"
        return Named(name[: suffix.start()], Direction.DOWN, layout)
    suffix = _suffix(_UP_SUFFIX, name, ("_down.sql", "_undo.sql"), beside)
    layout = "golang-migrate" if name.lower().endswith(".up.sql") else "numbered"
    return Named(name[: suffix.start()] if suffix else name[:-4], direction, layout)


def _flyway(match: re.Match[str]) -> Named:
    direction = Direction.DOWN if match["kind"] == "U" else Direction.UP
    label = f"{match['version']}__{match['name']}"
    return Named(label, direction, "flyway", repeatable=match["kind"] == "R")


def _suffix(
    pattern: re.Pattern[str], name: str, others: tuple[str, ...], beside: Collection[str]
) -> re.Match[str] | None:
    """Return a word of direction behind a dot; behind `_` only if the other direction is there."""
    match = pattern.search(name)
    if match is None or match.group()[0] == ".":
        return match
    stem = name[: match.start()]
    return match if any(f"{stem}{other}" in beside for other in others) else None


def sqitch_plan(folder: Path) -> dict[str, int]:
    """Return change → place in sqitch.plan (from 0), which stands in the folder or above it.

    Empty when there is no plan. A change that is reworked later is named with the tag behind it,
    as its files are: `change@tag`.
    """
    beside = (folder / "sqitch.plan", folder.parent / "sqitch.plan")
    plan = next((path for path in beside if path.is_file()), None)
    if plan is None:
        return {}
    lines = plan.read_text("utf-8", "replace").splitlines()
    words = [line.split()[0] for line in lines if line.strip() and line[0] not in "%#-"]
    changes: list[str] = []
    tags: list[str] = []
    for word in words:
        if word.startswith("@"):
            tags = [tag or word for tag in tags]
        else:
            changes.append(word.removeprefix("+"))
            tags.append("")
    return {
        change + tags[place] if change in changes[place + 1 :] else change: place
        for place, change in enumerate(changes)
    }


def script_wants_no_transaction(path: Path) -> bool:
    """Return whether Flyway's settings beside a script say that it runs outside a transaction."""
    settings = path.with_name(path.name + ".conf")
    return settings.is_file() and "executeintransaction=false" in settings.read_text(
        "utf-8", "replace"
    ).lower().replace(" ", "")
