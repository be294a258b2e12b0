"""Find the migrations of a folder, in order, each paired with its way back."""

from collections.abc import Iterable, Sequence
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

from tradewright.core.errors import ErrorCode, MigrationError
from tradewright.migrate.layouts import LooseScript, read_folder
from tradewright.migrate.model import Direction, Migration
from tradewright.migrate.versions import Version, version_text


def our_migrations() -> Path:
    """Return the folder of the migrations that this package brings."""
    return Path(str(files("tradewright") / "migrations"))


def find_migrations(folder: Path, *, gaps_allowed: bool = True) -> list[Migration]:
    """Return the migrations of `folder`, lowest version first, repeatable ones behind by name.

    Raises:
        MigrationError: MIGRATION_FOLDER_EMPTY, MIGRATION_NAME_MALFORMED,
            MIGRATION_FILE_UNREADABLE, MIGRATION_VERSION_DUPLICATED, MIGRATION_DOWN_ORPHANED,
            MIGRATION_DEPENDENCY_UNMET, and MIGRATION_VERSION_SKIPPED unless gaps are allowed (as
            with time stamps they must be).

    """
    loose = read_folder(folder)
    ups = _by_version(each for each in loose if each.direction is Direction.UP)
    downs = _by_version(each for each in loose if each.direction is Direction.DOWN)
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
    ordered = sorted(ups.values(), key=lambda up: (up.version < 0, max(up.version, 0), up.name))
    _refuse_unmet(ordered)
    if not gaps_allowed:
        _refuse_gaps([up.version for up in ordered if up.version >= 0])
    return [_pair(up, downs.get(up.version)) for up in ordered]


def _by_version(scripts: Iterable[LooseScript]) -> dict[Version, LooseScript]:
    found: dict[Version, LooseScript] = {}
    for each in scripts:
        other = found.setdefault(each.version, each)
        if other is not each:
            raise MigrationError(
                ErrorCode.MIGRATION_VERSION_DUPLICATED,
                f"version {version_text(each.version)} is in two files",
                why=f"They are '{other.script.label}' and '{each.script.label}'.",
                hint="Give one of them another number.",
                facts={"version": version_text(each.version)},
            )
    return found


def _refuse_orphaned_downs(
    ups: dict[Version, LooseScript], downs: dict[Version, LooseScript]
) -> None:
    for version, back in downs.items():
        if version not in ups or ups[version].name != back.name:
            raise MigrationError(
                ErrorCode.MIGRATION_DOWN_ORPHANED,
                f"file '{back.script.label}' takes back a migration that is not there",
                why=f"No migration of the folder is version {version_text(version)} '{back.name}'.",
                hint="Rename one of the two files so that they match.",
                facts={"file": back.script.path},
            )


def _refuse_unmet(ordered: Sequence[LooseScript]) -> None:
    """Refuse a migration that needs another which is not there, or comes later."""
    before: set[str] = set()
    for each in ordered:
        for needed in each.needs:
            if needed not in before:
                raise MigrationError(
                    ErrorCode.MIGRATION_DEPENDENCY_UNMET,
                    f"migration '{each.label}' depends on '{needed}', which is not before it",
                    why="Migrations run in the order of their numbers.",
                    hint="Restore the file it depends on, or give one of them another number.",
                    facts={"migration": each.label, "depends_on": needed},
                )
        before.add(each.label)


def _refuse_gaps(versions: Sequence[Version]) -> None:
    for before, after in pairwise(versions):
        if after != before + 1:
            raise MigrationError(
                ErrorCode.MIGRATION_VERSION_SKIPPED,
                f"version {version_text(before)} is followed by version {version_text(after)}",
                why="A file between them may be lost.",
                hint="Restore the missing file, or number the files without gaps.",
            )


def _pair(up: LooseScript, down: LooseScript | None) -> Migration:
    return Migration(
        version=up.version,
        name=up.name,
        up=up.script,
        down=down.script if down else None,
    )
