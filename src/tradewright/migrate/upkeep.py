"""Keep files, history and catalog in step: new files, baselines, drift and repairs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from psycopg import sql

from tradewright.core.errors import ErrorCode, MigrationError
from tradewright.migrate.catalog import Catalog, Change, Difference, compare, take_catalog
from tradewright.migrate.files import find_migrations
from tradewright.migrate.guard import Guard
from tradewright.migrate.model import (
    Direction,
    HistoryRow,
    Migration,
    PlannedFile,
    State,
    Target,
    statements_checksum,
)
from tradewright.migrate.rules import describe, files_applied, files_to_apply
from tradewright.migrate.service import guarded_run, history_of, run_planned
from tradewright.migrate.shadow import empty_shadow
from tradewright.migrate.versions import Version, version_text
from tradewright.postgres.connect import connect

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TOLD_MAX = 3


class RepairKind(StrEnum):
    """What a repair mends."""

    CHECKSUM_ACCEPTED = "checksum accepted"
    EMPTY_START_FORGOTTEN = "empty start forgotten"
    INDEX_LEFTOVER_DROPPED = "index leftover dropped"
    INDEX_REBUILT = "index rebuilt"
    DETACH_FINISHED = "detach finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """One thing that was, or would be, mended."""

    kind: RepairKind
    subject: str


def new_migration(folder: Path, name: str) -> tuple[Path, Path]:
    """Make the next numbered file and its way back, each with a line that says what to write.

    Raises:
        MigrationError: MIGRATION_NAME_MALFORMED unless the name is snake_case.

    """
    if not _NAME.fullmatch(name):
        raise MigrationError(
            ErrorCode.MIGRATION_NAME_MALFORMED,
            f"'{name}' is not a name for a migration",
            why="A name is snake_case: small letters, digits and underscores.",
            hint="Say what the migration does, for example add_client_notes.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    existing = find_migrations(folder) if any(folder.glob("*.sql")) else []
    stem = f"{_next_number(existing)}_{name}"
    paths = folder / f"{stem}.sql", folder / f"{stem}.down.sql"
    for path, line in zip(paths, (f"{name}: what it does and why.", "Undo it."), strict=True):
        with path.open("x", encoding="utf-8") as file:
            file.write(f"-- {line}\n")
    return paths


def _next_number(existing: Sequence[Migration]) -> str:
    """Return the number of the next file, as wide as that of the last one."""
    if not existing:
        return "001"
    last = existing[-1]
    digits = last.label.partition("_")[0]
    if not digits.isdigit():
        raise MigrationError(
            ErrorCode.MIGRATION_NAME_MALFORMED,
            f"a new file beside '{last.label}' cannot be made",
            why="New files are named NNN_name.sql, and this folder is laid out otherwise.",
            hint="Make the file as the tool does that this folder was made for.",
        )
    return f"{int(last.version) + 1:0{len(digits)}}"


def baseline(target: Target, migrations: Sequence[Migration], version: Version) -> list[Version]:
    """Record every version up to `version` as applied, without running it; return them.

    For a database that got its schema before it had a history. Every object that the files make on
    a shadow must be there; whether each is as they make it is for `find_drift` to say.

    Raises:
        MigrationError: MIGRATION_HISTORY_EXISTS when there is a history already;
            MIGRATION_OBJECTS_MISSING when the schema lacks what the files make.

    """
    _require_objects(target, files_to_apply(migrations, [], to=version, out_of_order=False))
    with guarded_run(target) as guard:
        history = guard.store.rows(guard.session)
        if history:
            raise MigrationError(
                ErrorCode.MIGRATION_HISTORY_EXISTS,
                f"schema '{target.schema}' has a history already",
                why=f"It says that version {version_text(history[-1].version)} is applied.",
                hint="Use migrate up; a baseline is for a database without a history.",
            )
        chosen = files_to_apply(migrations, [], to=version, out_of_order=False)
        with guard.session.transaction():
            guard.store.prepare(guard.session)
            for file in chosen:
                _record(guard, file.migration)
    return [file.migration.version for file in chosen]


def _require_objects(target: Target, files: Sequence[PlannedFile]) -> None:
    """Refuse a schema that has no history, and lacks an object that the files make."""
    if history_of(target):
        return
    with empty_shadow(target) as shadow:
        run_planned(shadow, files)
        should_be = _catalog(shadow)
    differences = compare(should_be, _catalog(target))
    lacking = [
        str(each.key)
        for each in differences
        if each.change is Change.REMOVED and not _is_daily_business(each, differences)
    ]
    if lacking:
        last = version_text(files[-1].migration.version)
        raise MigrationError(
            ErrorCode.MIGRATION_OBJECTS_MISSING,
            f"schema '{target.schema}' lacks {len(lacking)} objects that the files up to "
            f"version {last} make",
            why=f"The first are: {', '.join(lacking[:_TOLD_MAX])}. A baseline says that they are "
            "there.",
            hint="Use migrate up, or name the last version whose objects are there.",
            facts={"schema": target.schema, "lacking": len(lacking)},
        )


def find_drift(target: Target, migrations: Sequence[Migration]) -> list[Difference]:
    """Return how the target's catalog differs from what its applied files make on a shadow.

    Owners do not count, since a shadow has its own, nor do partitions that were made or detached
    since: making them is daily business.

    Raises:
        MigrationError: MIGRATION_HISTORY_MISSING; when files and history disagree already, and as
            `service.up`.

    """
    history = history_of(target)
    if not history:
        raise MigrationError(
            ErrorCode.MIGRATION_HISTORY_MISSING,
            f"schema '{target.schema}' has no history",
            why="No file was applied to it, so nothing says what it should hold.",
            hint="Use migrate up, or migrate baseline for a schema that was made otherwise.",
        )
    applied = files_applied(migrations, history)
    with empty_shadow(target) as shadow:
        run_planned(shadow, applied)
        should_be = _catalog(shadow)
    differences = compare(should_be, _catalog(target))
    return [each for each in differences if not _is_daily_business(each, differences)]


def repair(
    target: Target,
    migrations: Sequence[Migration],
    *,
    only_look: bool = False,
) -> list[Repair]:
    """Mend history and indexes, or only look what there is to mend.

    Accepts edited files as they are now, forgets a file that stopped before its first statement,
    drops what an interrupted REINDEX CONCURRENTLY left, rebuilds INVALID indexes and finishes
    interrupted detaches of partitions.
    """
    with guarded_run(target) as guard:
        repairs = [*_history_repairs(guard, migrations), *_catalog_repairs(guard)]
        if not only_look:
            files = {migration.version: migration for migration in migrations}
            for each in repairs:
                _mend(guard, each, files)
    return [each for each, _ in repairs]


_Pending = tuple[Repair, HistoryRow | str]
"""A repair with what it works on: a row of history, or the command that mends the catalog."""


def _record(guard: Guard, migration: Migration) -> None:
    statements = migration.up.statements
    guard.store.begin_file(
        guard.session,
        Direction.UP,
        version=migration.version,
        name=migration.name,
        checksum=migration.up.checksum,
        done=len(statements),
        total=len(statements),
        done_checksum=statements_checksum(statements),
    )
    guard.store.finish_file(guard.session, version=migration.version, execution_ms=None)


def _catalog(target: Target) -> Catalog:
    with connect(target.conninfo, schema=target.schema, autocommit=True) as session:
        return take_catalog(session, target.schema).without("owner:")


def _is_daily_business(each: Difference, differences: Sequence[Difference]) -> bool:
    """Tell whether it belongs to a partition that only one of the two has."""
    for other in differences:
        if other.change is Change.CHANGED or other.key.kind != "table":
            continue
        if not any(line.startswith("bound: ") for line in (*other.before, *other.after)):
            continue
        name = other.key.name
        on_it = any(f".{name} USING " in line for line in (*each.before, *each.after))
        if each is other or each.key.name.startswith(f"{name}.") or on_it:
            return True
    return False


def _history_repairs(guard: Guard, migrations: Sequence[Migration]) -> list[_Pending]:
    repairs: list[_Pending] = []
    for line in describe(migrations, guard.store.rows(guard.session)):
        row = line.row
        subject = f"{version_text(line.version)} {line.name}"
        if row is not None and line.state is State.EDITED:
            repairs.append((Repair(kind=RepairKind.CHECKSUM_ACCEPTED, subject=subject), row))
        if row is not None and _never_began(row):
            repairs.append((Repair(kind=RepairKind.EMPTY_START_FORGOTTEN, subject=subject), row))
    return repairs


def _never_began(row: HistoryRow) -> bool:
    return (
        not row.is_finished
        and row.direction is Direction.UP
        and row.statements_done == 0
        and row.statement_started is None
    )


def _catalog_repairs(guard: Guard) -> list[_Pending]:
    repairs: list[_Pending] = []
    for index, is_leftover in guard.store.invalid_indexes(guard.session):
        if is_leftover:
            kind, command = RepairKind.INDEX_LEFTOVER_DROPPED, f"DROP INDEX CONCURRENTLY {index}"
        else:
            kind, command = RepairKind.INDEX_REBUILT, f"REINDEX INDEX CONCURRENTLY {index}"
        repairs.append((Repair(kind=kind, subject=index), command))
    for parent, partition in guard.store.pending_detaches(guard.session):
        command = f"ALTER TABLE {parent} DETACH PARTITION {partition} FINALIZE"
        repairs.append((Repair(kind=RepairKind.DETACH_FINISHED, subject=partition), command))
    return repairs


def _mend(guard: Guard, pending: _Pending, files: dict[Version, Migration]) -> None:
    each, on = pending
    if isinstance(on, str):
        with guard.work() as session:
            guard.store.set_lock_timeout(session, "0")
            session.execute(sql.SQL(on))
    elif each.kind is RepairKind.CHECKSUM_ACCEPTED:
        script = files[on.version].up
        guard.store.accept_file(
            guard.session,
            version=on.version,
            checksum=script.checksum,
            total=len(script.statements),
        )
    else:
        guard.store.forget_file(guard.session, version=on.version)
