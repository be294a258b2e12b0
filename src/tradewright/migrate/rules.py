"""What may run, decided from files and history alone, before anything runs; no I/O.

Every refusal of the runner that can be known beforehand is made here.
"""

from collections.abc import Iterator, Mapping, Sequence

from tradewright.core.errors import ErrorCode, MigrationError
from tradewright.migrate.model import (
    Direction,
    HistoryRow,
    Migration,
    MigrationStatus,
    PlannedFile,
    Script,
    State,
    statements_checksum,
)
from tradewright.migrate.versions import Version, version_text


def describe(
    migrations: Sequence[Migration],
    history: Sequence[HistoryRow],
) -> list[MigrationStatus]:
    """Return how each version stands, lowest first, repeatable ones last; refuses nothing."""
    files = {migration.version: migration for migration in migrations}
    rows = {row.version: row for row in history}
    latest = max(rows, default=-1)
    return [
        MigrationStatus(
            version=version,
            name=files[version].name if version in files else rows[version].name,
            state=_state(files.get(version), rows.get(version), latest),
            reversible=version in files and files[version].down is not None,
            row=rows.get(version),
        )
        for version in sorted(files.keys() | rows.keys(), key=lambda v: (v < 0, v))
    ]


def files_to_apply(
    migrations: Sequence[Migration],
    history: Sequence[HistoryRow],
    *,
    to: Version | None,
    out_of_order: bool,
) -> list[PlannedFile]:
    """Return the files that `up` would run, in order, up to and including version `to`.

    Raises:
        MigrationError: for every disagreement between files and history, and
            MIGRATION_VERSION_UNKNOWN when there is no version `to`.

    """
    _require_version(migrations, to)
    require_agreement(migrations, history)
    _require_direction(history, Direction.UP)
    rows = {row.version: row for row in history}
    pending = [
        migration
        for migration in migrations
        if not migration.is_repeatable
        and (to is None or migration.version <= to)
        and not (migration.version in rows and rows[migration.version].is_finished)
    ]
    if not out_of_order:
        _refuse_out_of_order(pending, rows)
    planned = [_planned(migration, rows.get(migration.version)) for migration in pending]
    if to is None:
        planned += [_planned(each, None) for each in _to_repeat(migrations, rows)]
    return _all_parsed(planned)


def _to_repeat(
    migrations: Sequence[Migration], rows: Mapping[Version, HistoryRow]
) -> Iterator[Migration]:
    """Yield the repeatable migrations that never ran to their end as they read now."""
    for migration in migrations:
        row = rows.get(migration.version)
        done = row is not None and row.is_finished and row.checksum == migration.up.checksum
        if migration.is_repeatable and not done:
            yield migration


def files_applied(
    migrations: Sequence[Migration],
    history: Sequence[HistoryRow],
) -> list[PlannedFile]:
    """Return the files that history says are applied, as if they were to be applied again.

    Raises:
        MigrationError: MIGRATION_EDITED or MIGRATION_FILE_MISSING.

    """
    require_agreement(migrations, history)
    applied = {row.version for row in history if row.is_finished}
    chosen = [migration for migration in migrations if migration.version in applied]
    return _all_parsed([_planned(migration, None) for migration in chosen])


def files_to_roll_back(
    migrations: Sequence[Migration],
    history: Sequence[HistoryRow],
    *,
    count: int | None,
    to: Version | None,
) -> list[PlannedFile]:
    """Return the files that `down` would run, highest version first.

    That is the last `count` applied versions, or every version above `to` (0 means all). What is
    repeatable is not taken back: it is written to be replaced.

    Raises:
        MigrationError: as `files_to_apply`, and MIGRATION_DOWN_MISSING.

    """
    if to != 0:
        _require_version(migrations, to)
    require_agreement(migrations, history)
    _require_direction(history, Direction.DOWN)
    versioned = [row for row in history if row.version >= 0]
    applied = sorted(versioned, key=lambda row: row.version, reverse=True)
    chosen = [row for row in applied if row.version > to] if to is not None else applied[:count]
    files = {migration.version: migration for migration in migrations}
    return _all_parsed([_planned_back(files[row.version], row) for row in chosen])


def require_agreement(migrations: Sequence[Migration], history: Sequence[HistoryRow]) -> None:
    """Refuse an applied file that was edited or is missing; a repeatable one may be either.

    Raises:
        MigrationError: MIGRATION_EDITED or MIGRATION_FILE_MISSING.

    """
    files = {migration.version: migration for migration in migrations}
    for row in history:
        if row.version < 0:
            continue
        if row.version not in files:
            raise _file_missing(row)
        migration = files[row.version]
        if row.is_finished or row.direction is Direction.DOWN:
            _require_same_text(migration, row)
        script = migration.up if row.direction is Direction.UP else migration.down
        if script is not None and not row.is_finished:
            _require_same_beginning(script, row)


def _state(migration: Migration | None, row: HistoryRow | None, latest: Version) -> State:
    if migration is None:
        return State.FILE_MISSING
    if row is None:
        is_late = migration.version < latest and not migration.is_repeatable
        return State.OUT_OF_ORDER if is_late else State.PENDING
    if not row.is_finished:
        return State.UNFINISHED
    if migration.is_repeatable and row.checksum != migration.up.checksum:
        return State.PENDING
    return State.APPLIED if row.checksum == migration.up.checksum else State.EDITED


def _planned(migration: Migration, row: HistoryRow | None) -> PlannedFile:
    return PlannedFile(
        migration=migration,
        script=migration.up,
        direction=Direction.UP,
        statements_done=row.statements_done if row else 0,
    )


def _planned_back(migration: Migration, row: HistoryRow) -> PlannedFile:
    if migration.down is None:
        raise MigrationError(
            ErrorCode.MIGRATION_DOWN_MISSING,
            f"migration '{migration.label}' cannot be rolled back: it has no down file",
            why="There is no down file beside it, or no SQL in its down part. "
            "Nothing was rolled back.",
            hint="Write the down file, or roll back to a version above it.",
            facts={"version": version_text(migration.version)},
        )
    begun = row.direction is Direction.DOWN
    return PlannedFile(
        migration=migration,
        script=migration.down,
        direction=Direction.DOWN,
        statements_done=row.statements_done if begun else 0,
    )


def _all_parsed(planned: list[PlannedFile]) -> list[PlannedFile]:
    """Parse every file now, so that a syntax error in the last stops the first."""
    for file in planned:
        _ = file.script.statements
    return planned


def _require_version(migrations: Sequence[Migration], version: Version | None) -> None:
    if version is not None and all(each.version != version for each in migrations):
        known = ", ".join(version_text(m.version) for m in migrations if not m.is_repeatable)
        raise MigrationError(
            ErrorCode.MIGRATION_VERSION_UNKNOWN,
            f"there is no migration of version {version_text(version)}",
            why=f"The folder holds {known}.",
            hint="Name one of these versions.",
        )


def _require_same_text(migration: Migration, row: HistoryRow) -> None:
    if migration.up.checksum != row.checksum:
        raise MigrationError(
            ErrorCode.MIGRATION_EDITED,
            f"migration file '{migration.label}' was edited after it was applied",
            why=f"Applied with sha256 {row.checksum}, the file now has {migration.up.checksum}. "
            "Nothing was run.",
            hint="Restore the file as it was and put the change into a new migration; if the "
            "schema does hold what the file says now, accept it with migrate repair.",
            facts={
                "file": migration.label,
                "checksum_applied": row.checksum,
                "checksum_of_file": migration.up.checksum,
            },
        )


def _require_same_beginning(script: Script, row: HistoryRow) -> None:
    """Let a file that stopped half-way be corrected, but only behind what has already run."""
    done = script.statements[: row.statements_done]
    if len(done) < row.statements_done or statements_checksum(done) != row.done_checksum:
        raise MigrationError(
            ErrorCode.MIGRATION_EDITED,
            f"migration file '{script.label}' was edited in the part that already ran",
            why=f"{row.statements_done} of its statements are done; their text has changed since. "
            "Nothing was run.",
            hint="Restore those statements; the ones behind them may be corrected.",
            facts={
                "file": script.label,
                "statements_done": row.statements_done,
                "checksum_applied": row.done_checksum,
                "checksum_of_file": statements_checksum(done),
            },
        )


def _file_missing(row: HistoryRow) -> MigrationError:
    return MigrationError(
        ErrorCode.MIGRATION_FILE_MISSING,
        f"the file of applied migration {version_text(row.version)} '{row.name}' is missing",
        why=f"History says that it was applied at {row.applied_at:%Y-%m-%d %H:%M:%S} UTC by "
        f"{row.applied_by}. Nothing was run.",
        hint="Restore the file, or point --dir at the folder that holds it.",
        facts={"version": version_text(row.version), "name": row.name},
    )


def _require_direction(history: Sequence[HistoryRow], asked: Direction) -> None:
    """Refuse to go one way while a file is half-way through the other."""
    for row in history:
        if not row.is_finished and row.direction is not asked:
            version = version_text(row.version)
            raise MigrationError(
                ErrorCode.MIGRATION_UNFINISHED,
                f"migration {version} '{row.name}' stopped half-way {row.direction}",
                why=f"{row.statements_done} of its {row.statements_total} statements are done.",
                hint=f"Finish it first: run migrate {row.direction} again.",
                facts={
                    "version": version_text(row.version),
                    "statements_done": row.statements_done,
                },
            )


def _refuse_out_of_order(pending: Sequence[Migration], rows: Mapping[Version, HistoryRow]) -> None:
    latest = max((row.version for row in rows.values() if row.is_finished), default=-1)
    for migration in pending:
        if migration.version < latest and migration.version not in rows:
            raise MigrationError(
                ErrorCode.MIGRATION_OUT_OF_ORDER,
                f"migration '{migration.label}' is older than what is already applied",
                why=f"Version {version_text(latest)} is applied, and "
                f"{version_text(migration.version)} is not; databases that got them in the other "
                "order may differ. Nothing was run.",
                hint="Give the file a higher number, or run it late with --out-of-order.",
                facts={
                    "version": version_text(migration.version),
                    "latest_applied": version_text(latest),
                },
            )
