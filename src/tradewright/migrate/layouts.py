"""The ways in which people lay out migrations: which files are one, and what is the way back.

A layout turns a folder into loose scripts; pairing and ordering them is the business of `files`.
The layout is recognised by the files themselves, and where a file holds both directions each part
keeps the lines of its file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tradewright.core.errors import ErrorCode, MigrationError
from tradewright.migrate.model import Direction, Script


@dataclass(frozen=True, slots=True, kw_only=True)
class LooseScript:
    """One script before it is paired."""

    version: int
    name: str
    direction: Direction
    script: Script


def read_folder(folder: Path) -> list[LooseScript]:
    """Return every script of `folder`, in no order; none when it holds none.

    Raises:
        MigrationError: MIGRATION_NAME_MALFORMED, MIGRATION_FILE_UNREADABLE.

    """
    if not folder.is_dir():
        return []
    paths = sorted(folder.glob("*.sql"))
    if not paths:
        return _read_folders(folder)
    if any(_FLYWAY_NAME.fullmatch(path.name) for path in paths):
        return [_read_flyway(path) for path in paths]
    return [script for path in paths for script in _read_numbered(path)]


_NUMBERED_NAME = re.compile(
    r"(?P<version>[0-9]+)_(?P<name>.+?)(?:\.(?P<direction>up|down))?\.sql",
    re.IGNORECASE,
)
_FLYWAY_NAME = re.compile(r"(?P<kind>[VU])(?P<version>[0-9]+)__(?P<name>.+)\.sql")
_FOLDER_NAME = re.compile(r"(?P<version>[0-9][0-9-]*)_(?P<name>.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marks:
    """How one tool marks the two parts of a file, and the wish for no transaction."""

    up: re.Pattern[str] | None
    down: re.Pattern[str]
    no_transaction_in_mark: re.Pattern[str] | None = None
    no_transaction_in_file: re.Pattern[str] | None = None


def _mark(text: str) -> re.Pattern[str]:
    return re.compile(rf"^--[ \t]*{text}", re.MULTILINE)


_MARKS: Mapping[str, _Marks] = MappingProxyType(
    {
        "dbmate": _Marks(
            up=_mark(r"migrate:up\b.*$"),
            down=_mark(r"migrate:down\b.*$"),
            no_transaction_in_mark=re.compile(r"transaction:[ \t]*false"),
        ),
        "goose": _Marks(
            up=_mark(r"\+goose[ \t]+Up\b.*$"),
            down=_mark(r"\+goose[ \t]+Down\b.*$"),
            no_transaction_in_file=_mark(r"\+goose[ \t]+NO[ \t]+TRANSACTION\b"),
        ),
        "sql-migrate": _Marks(
            up=_mark(r"\+migrate[ \t]+Up\b.*$"),
            down=_mark(r"\+migrate[ \t]+Down\b.*$"),
            no_transaction_in_mark=re.compile(r"\bnotransaction\b"),
        ),
        "tern": _Marks(
            up=None,
            down=re.compile(r"^----[ \t]*create above / drop below[ \t]*----.*$", re.MULTILINE),
            no_transaction_in_file=_mark(r"tern:[ \t]*disable-tx"),
        ),
    },
)


def _read_numbered(path: Path) -> list[LooseScript]:
    """Read `NNN_name.sql` and its relatives, or one file that marks both directions."""
    match = _NUMBERED_NAME.fullmatch(path.name)
    if match is None:
        raise _malformed(path, "A migration is NNN_name.sql, and its way back NNN_name.down.sql.")
    text = _read(path)
    version, name = int(match["version"]), match["name"]
    scripts = {Direction((match["direction"] or "up").lower()): Script(path, text)}
    for marks in _MARKS.values():
        if match["direction"] is None and (marks.up or marks.down).search(text):
            scripts = _split(path, text, marks)
    return [
        LooseScript(version=version, name=name, direction=direction, script=script)
        for direction, script in scripts.items()
    ]


def _split(path: Path, text: str, marks: _Marks) -> dict[Direction, Script]:
    """Cut a file at its marks; a way back without any SQL is none."""
    up_mark = marks.up.search(text) if marks.up else None
    down_mark = marks.down.search(text)
    up_start = up_mark.end() if up_mark else 0
    up_end = down_mark.start() if down_mark else len(text)
    parts = {Direction.UP: (up_start, up_end)}
    if down_mark and _has_sql(text[down_mark.end() :]):
        parts[Direction.DOWN] = (down_mark.end(), len(text))
    heads = {Direction.UP: up_mark, Direction.DOWN: down_mark}
    return {
        direction: Script(
            path,
            text[start:end],
            first_line=text.count("\n", 0, start) + 1,
            in_transaction=not _wants_none(text, heads[direction], marks),
        )
        for direction, (start, end) in parts.items()
    }


def _wants_none(text: str, head: re.Match[str] | None, marks: _Marks) -> bool:
    """Tell whether a part asks for no transaction, in its own mark or once for the file."""
    in_mark, in_file = marks.no_transaction_in_mark, marks.no_transaction_in_file
    said_by_mark = in_mark is not None and head is not None and in_mark.search(head.group())
    said_by_file = in_file is not None and in_file.search(text)
    return bool(said_by_mark or said_by_file)


def _has_sql(text: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith("--") for line in text.splitlines())


def _read_flyway(path: Path) -> LooseScript:
    match = _FLYWAY_NAME.fullmatch(path.name)
    if match is None:
        raise _malformed(
            path,
            "Beside V1__name.sql and U1__name.sql nothing else is read: no repeatable migrations, "
            "and no versions with dots.",
        )
    return LooseScript(
        version=int(match["version"]),
        name=match["name"],
        direction=Direction.UP if match["kind"] == "V" else Direction.DOWN,
        script=Script(path, _read(path)),
    )


_FILE_OF_FOLDER: Mapping[str, Direction] = MappingProxyType(
    {"up.sql": Direction.UP, "migration.sql": Direction.UP, "down.sql": Direction.DOWN},
)


def _read_folders(folder: Path) -> list[LooseScript]:
    """Read one folder per version, with up.sql (or migration.sql) and down.sql in it."""
    loose = []
    for path in sorted(folder.glob("*/*.sql")):
        direction = _FILE_OF_FOLDER.get(path.name)
        match = _FOLDER_NAME.fullmatch(path.parent.name)
        if direction is None or match is None:
            raise _malformed(
                path, "A migration is NNN_name/up.sql, its way back down.sql beside it."
            )
        version = int(match["version"].replace("-", ""))
        script = Script(path, _read(path), title=f"{path.parent.name}/{path.name}")
        loose.append(
            LooseScript(version=version, name=match["name"], direction=direction, script=script),
        )
    return loose


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
