"""The layouts of migrations that the runner takes: which files are one, and what is the way back.

A layout turns a folder into loose scripts; pairing and ordering them is the business of `files`.
What a name tells is read by `naming`, what the marks in a file tell by `sections`; this module
refuses what does not fit, and gives each script its version.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tradewright.core.errors import ErrorCode, MigrationError
from tradewright.migrate.model import Script
from tradewright.migrate.naming import (
    FLYWAY_NAME,
    Direction,
    Named,
    name_of,
    script_wants_no_transaction,
    sqitch_plan,
)
from tradewright.migrate.sections import Part, read_sections
from tradewright.migrate.versions import Version, repeatable_version, version_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LooseScript:
    """One script before it is paired; `needs` are labels of what must have run before it."""

    version: Version
    name: str
    label: str
    direction: Direction
    script: Script
    needs: tuple[str, ...] = ()


def read_folder(folder: Path) -> list[LooseScript]:
    """Return every script of `folder`, in no order; none when it holds none.

    Raises:
        MigrationError: MIGRATION_NAME_MALFORMED, MIGRATION_FILE_UNREADABLE.

    """
    if not folder.is_dir():
        return []
    plan = sqitch_plan(folder)
    if plan:
        return _read_sqitch(folder if (folder / "sqitch.plan").is_file() else folder.parent, plan)
    committed = folder / "committed" if (folder / "committed").is_dir() else folder
    paths = sorted(committed.glob("*.sql"))
    if committed.name == "committed":
        return [each for path in paths for each in _read_committed(path)]
    if not paths:
        return _in_order_of_names([_read_in_folder(p) for p in sorted(folder.glob("*/*.sql"))])
    return _read_flat(paths)


def _in_order_of_names(scripts: list[LooseScript]) -> list[LooseScript]:
    """Return scripts in folders; refuse those of Prisma whose numbers run in another order.

    Prisma goes by whole names, so that 20260108 runs behind 20250326162113.
    """
    named = [each for each in scripts if each.script.path.name.lower() == "migration.sql"]
    by_number = sorted(named, key=lambda each: (each.version, each.label))
    for name, number in zip(sorted(named, key=lambda each: each.label), by_number, strict=True):
        if name is not number:
            why = f"Prisma runs '{name.label}' before '{number.label}', whose number is smaller."
            raise _malformed(number.script.path.parent, why)
    return scripts


def _read_flat(paths: list[Path]) -> list[LooseScript]:
    """Read a folder of files; one file that is Flyway's or yoyo's tells of which tool all are."""
    if any(FLYWAY_NAME.fullmatch(path.name) for path in paths):
        return [_read_flyway(path) for path in paths]
    if any(name_of(path.name).layout == "yoyo" or _DEPENDS.search(_read(path)) for path in paths):
        return [each for path in paths for each in _read_yoyo(path)]
    return [each for path in paths for each in _read_numbered(path)]


_NUMBERED_LABEL = re.compile(r"(?P<version>[0-9]+)_(?P<name>.+)")
_FOLDER_LABEL = re.compile(r"(?P<version>[0-9][0-9-]*)_(?P<name>.+)")
_COMMITTED_LABEL = re.compile(r"(?P<version>[0-9]+)(?:-(?P<name>.+))?")
_YOYO_LABEL = re.compile(r"(?P<version>[0-9]+(?:[._-][0-9]+(?=[._-]))*)[._-](?P<name>.+)")
_DEPENDS = re.compile(r"^--[ \t]*depends:[ \t]*(?P<names>[^\n]*)$", re.MULTILINE)
_MESSAGE = re.compile(r"^--![ \t]*Message:[ \t]*(?P<message>[^\n]+?)[ \t]*$", re.MULTILINE)


def _read_numbered(path: Path) -> list[LooseScript]:
    """Read `NNN_name.sql` and its relatives, or one file that marks both directions."""
    named = name_of(path.name)
    match = _NUMBERED_LABEL.fullmatch(named.label)
    if match is None:
        raise _malformed(path, "A migration is NNN_name.sql, and its way back NNN_name.down.sql.")
    return _scripts(path, named, int(match["version"]), match["name"])


def _read_yoyo(path: Path) -> list[LooseScript]:
    """Read a step of yoyo, whose dependencies stand in its first comments."""
    named = name_of(path.name)
    match = _YOYO_LABEL.fullmatch(named.label)
    version = _version(path, re.findall("[0-9]+", match["version"])) if match else None
    if match is None or version is None:
        raise _malformed(path, "A step of yoyo begins with its number, so that the order is plain.")
    return _scripts(path, named, version, match["name"])


def _read_committed(path: Path) -> list[LooseScript]:
    """Read a migration that graphile-migrate has committed; there is no way back."""
    named = name_of(path.name)
    match = _COMMITTED_LABEL.fullmatch(named.label)
    if match is None:
        raise _malformed(path, "A committed migration is 000001.sql or 000001-name.sql.")
    message = _MESSAGE.search(_read(path))
    name = match["name"] or (message["message"] if message else "committed")
    return _scripts(path, named, int(match["version"]), name)


def _read_flyway(path: Path) -> LooseScript:
    match = FLYWAY_NAME.fullmatch(path.name)
    kind = match["kind"] if match else ""
    if match is None or (kind == "R") != (not match["version"]):
        raise _malformed(path, "Flyway's files are V1.2__name.sql, U1.2__name.sql, R__name.sql.")
    if kind == "R":
        version: Version = repeatable_version(match["name"])
    else:
        version = _version(path, re.findall("[0-9]+", match["version"]))
    text, bare = _read(path), script_wants_no_transaction(path)
    named = name_of(path.name)
    return LooseScript(
        version=version,
        name=match["name"],
        label=named.label,
        direction=named.direction,
        script=Script(path, text, in_transaction=not (bare or _is_bare(text))),
    )


def _read_in_folder(path: Path) -> LooseScript:
    """Read one folder per version, with up.sql (or migration.sql) and down.sql in it."""
    named = name_of(path.name, (path.parent.name,))
    match = _FOLDER_LABEL.fullmatch(path.parent.name)
    if named.layout not in {"folders", "prisma"} or match is None:
        raise _malformed(path, "A migration is NNN_name/up.sql, its way back down.sql beside it.")
    text = _read(path)
    return LooseScript(
        version=int(match["version"].replace("-", "")),
        name=match["name"],
        label=named.label,
        direction=named.direction,
        script=Script(
            path,
            text,
            title=f"{path.parent.name}/{path.name}",
            in_transaction=not _is_bare(text),
        ),
    )


def _read_sqitch(project: Path, plan: dict[str, int]) -> list[LooseScript]:
    """Read deploy and revert in the order of the plan, whose first change is version 1.

    A change of the plan without a deploy script is refused; a script that the plan does not name
    is no migration.
    """
    loose = []
    for change, place in plan.items():
        for folder in ("deploy", "revert"):
            path = project / folder / f"{change}.sql"
            if folder == "revert" and not path.is_file():
                continue
            named = name_of(path.name, (folder, *Path(change).parent.parts), planned=True)
            script = Script(path, _read(path), title=f"{folder}/{change}.sql")
            loose.append(
                LooseScript(
                    version=place + 1,
                    name=change,
                    label=named.label,
                    direction=named.direction,
                    script=script,
                ),
            )
    return loose


def _scripts(path: Path, named: Named, version: Version, name: str) -> list[LooseScript]:
    """Return the script of a file, or the two that its marks divide it into."""
    text = _read(path)
    sections = read_sections(text)
    parts = {Direction.UP: sections.up, Direction.DOWN: sections.down}
    if named.direction is Direction.DOWN or sections.layout in {None, "liquibase"}:
        parts = {named.direction: Part(((0, len(text)),), sections.is_bare)}
    depends = _DEPENDS.search(text) if named.direction is Direction.UP else None
    return [
        LooseScript(
            version=version,
            name=name,
            label=named.label,
            direction=direction,
            script=_script(path, text, part),
            needs=tuple(depends["names"].split()) if depends else (),
        )
        for direction, part in parts.items()
        if part is not None and (direction is named.direction or _has_sql(part.blanked(text)))
    ]


def _script(path: Path, text: str, part: Part) -> Script:
    """Cut a part out of its file; between two spans of it the rest is blanked out."""
    start = part.spans[0][0] if part.spans else len(text)
    end = part.spans[-1][1] if part.spans else len(text)
    cut = text[start:end] if len(part.spans) == 1 else part.blanked(text)[start:end]
    first_line = text.count("\n", 0, start) + 1
    return Script(path, cut, first_line=first_line, in_transaction=not part.bare)


def _is_bare(text: str) -> bool:
    """Return whether a file of one direction asks for no transaction."""
    return read_sections(text).is_bare


def _has_sql(text: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith("--") for line in text.splitlines())


def _version(path: Path, numbers: Iterable[str]) -> Version:
    parts = [int(number) for number in numbers]
    version = version_of(parts) if parts else None
    if version is None:
        raise _malformed(path, "A version is numbers with dots, nine digits behind each dot.")
    return version


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


def _malformed(path: Path, why: str) -> MigrationError:
    return MigrationError(
        ErrorCode.MIGRATION_NAME_MALFORMED,
        f"file '{path.name}' is not named like a migration",
        why=why,
        hint="Rename the file, or move it out of the folder.",
        facts={"file": path},
    )
