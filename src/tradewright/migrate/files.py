"""Find the migrations of a folder and pair each with its way back.

The layout known today is `NNN_name.sql` with `NNN_name.down.sql`; `NNN_name.up.sql` is the same
thing said aloud. A layout is a function from a folder to loose scripts, so another one is another
function.
"""

import re
from collections.abc import Iterable
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

from tradewright.core.errors import ErrorCode, MigrationError
from tradewright.migrate.model import Direction, Migration, Script

_FILE_NAME = re.compile(
    r"(?P<version>[0-9]+)_(?P<name>.+?)(?:\.(?P<direction>up|down))?\.sql",
    re.IGNORECASE,
)

LooseScript = tuple[int, str, Direction, Script]
"""Version, name, direction and text of one script, before it is paired."""


def our_migrations() -> Path:
    """Return the folder of the migrations that this package brings."""
    return Path(str(files("tradewright") / "migrations"))


def find_migrations(folder: Path, *, gaps_allowed: bool = True) -> list[Migration]:
    """Return the migrations of `folder`, lowest version first.

    Raises:
        MigrationError: MIGRATION_FOLDER_EMPTY, MIGRATION_NAME_MALFORMED,
            MIGRATION_FILE_UNREADABLE, MIGRATION_VERSION_DUPLICATED, MIGRATION_DOWN_ORPHANED, and
            MIGRATION_VERSION_SKIPPED unless gaps are allowed (as with time stamps they must be).

    """
    loose = _numbered_files(folder)
    ups = _by_version(each for each in loose if each[2] is Direction.UP)
    downs = _by_version(each for each in loose if each[2] is Direction.DOWN)
    _refuse_orphaned_downs(ups, downs)
    if not ups:
        raise MigrationError(
            ErrorCode.MIGRATION_FOLDER_EMPTY,
            f"folder '{folder}' holds no migration",
            why="A migration is a file named like 001_init_schema.sql."
            if folder.is_dir()
            else "There is no such folder.",
            hint="Name the folder of the migrations with --dir.",
        )
    if not gaps_allowed:
        _refuse_gaps(sorted(ups))
    return [_pair(ups[version], downs.get(version)) for version in sorted(ups)]


def _numbered_files(folder: Path) -> list[LooseScript]:
    paths = sorted(folder.glob("*.sql")) if folder.is_dir() else []
    return [_numbered_file(path) for path in paths]


def _numbered_file(path: Path) -> LooseScript:
    match = _FILE_NAME.fullmatch(path.name)
    if match is None:
        raise MigrationError(
            ErrorCode.MIGRATION_NAME_MALFORMED,
            f"file '{path.name}' is not named like a migration",
            why="A migration is NNN_name.sql, and its way back NNN_name.down.sql.",
            hint="Rename the file, or move it out of the folder.",
            facts={"file": path},
        )
    direction = Direction((match["direction"] or "up").lower())
    return int(match["version"]), match["name"], direction, Script(path, _read(path))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MigrationError(
            ErrorCode.MIGRATION_FILE_UNREADABLE,
            f"file '{path.name}' cannot be read as UTF-8 text",
            why=str(error),
            hint="Save the file as UTF-8 and make it readable.",
            facts={"file": path},
        ) from error


def _by_version(scripts: Iterable[LooseScript]) -> dict[int, LooseScript]:
    found: dict[int, LooseScript] = {}
    for each in scripts:
        other = found.setdefault(each[0], each)
        if other is not each:
            raise MigrationError(
                ErrorCode.MIGRATION_VERSION_DUPLICATED,
                f"version {each[0]} is in two files",
                why=f"They are '{other[3].path.name}' and '{each[3].path.name}'.",
                hint="Give one of them another number.",
                facts={"version": each[0]},
            )
    return found


def _refuse_orphaned_downs(ups: dict[int, LooseScript], downs: dict[int, LooseScript]) -> None:
    for version, (_, name, _, script) in downs.items():
        if version not in ups or ups[version][1] != name:
            raise MigrationError(
                ErrorCode.MIGRATION_DOWN_ORPHANED,
                f"file '{script.path.name}' takes back a migration that is not there",
                why=f"There is no {script.path.name.replace('.down.sql', '.sql')} beside it.",
                hint="Rename one of the two files so that they match.",
                facts={"file": script.path},
            )


def _refuse_gaps(versions: list[int]) -> None:
    for before, after in pairwise(versions):
        if after != before + 1:
            raise MigrationError(
                ErrorCode.MIGRATION_VERSION_SKIPPED,
                f"version {before} is followed by version {after}",
                why="A file between them may be lost.",
                hint="Restore the missing file, or number the files without gaps.",
            )


def _pair(up: LooseScript, down: LooseScript | None) -> Migration:
    version, name, _, script = up
    return Migration(version=version, name=name, up=script, down=down[3] if down else None)
