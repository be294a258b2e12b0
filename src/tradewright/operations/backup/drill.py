"""Restore a backup on a scratch server, and look whether it is the house that was backed up.

What is restored is compared with the manifest (`figures`), its pages and indexes are read
(pg_amcheck), and the doctor looks at what must hold of any house. The scratch server is removed
whatever comes of it; one that a killed drill has left is removed by the next.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg import IsolationLevel, sql

from tradewright.core.clock import monotonic_seconds
from tradewright.core.errors import DatabaseError
from tradewright.operations.backup.figures import differences, query, read_figures, read_seal
from tradewright.operations.backup.folders import DATA, DUMP, Backup, chain_of
from tradewright.operations.backup.model import BackupKind, Figures
from tradewright.operations.backup.room import Room, require_room
from tradewright.operations.backup.verifying import verify_backup
from tradewright.operations.doctor import CHECKS, Ground, Verdict, examine
from tradewright.postgres.binaries import server_user, short_temporary_place
from tradewright.postgres.connect import NO_LIMITS, Session, connect
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.postgres.programs import find_programs, run_program, try_program
from tradewright.postgres.refusals import translate
from tradewright.postgres.restored import restored_server

EXAMINED = (
    "indexes_valid",
    "constraints_valid",
    "guards",
    "rights",
    "functions_pinned",
    "sequences_ahead",
    "laws",
)
"""The doctor's checks that hold of a house wherever it runs."""

_SCRATCH = {"fsync": "off", "autovacuum": "off", "max_wal_size": "256MB"}
_QUIET = ("--no-password", "--exit-on-error", "--no-tablespaces")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a drill has looked at: what was seen, and what was wrong."""

    name: str
    what: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillReport:
    """What came of a drill: how long the restore took, and up to when it brings back what was."""

    backup: str
    steps: tuple[Step, ...]
    restore_ms: int
    covers_until: datetime

    @property
    def problems(self) -> list[str]:
        """Everything that was wrong, with the step that has seen it."""
        return [f"{step.name}: {problem}" for step in self.steps for problem in step.problems]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Restored:
    """A restored house that answers: how to connect, and how long it took."""

    conninfo: str
    restore_ms: int


def drill(backup: Backup, programs: Path | None = None) -> DrillReport:
    """Restore a backup on a scratch server, look at all of it, and remove the server.

    Raises:
        InputError: BACKUP_FOLDER_UNUSABLE when a base is missing.
        StateError: BACKUP_PROGRAMS_MISSING, BACKUP_ROOM_SHORT, or EMBEDDED_NOT_INSTALLED for a
            dump.

    """
    manifest = backup.manifest
    folder = find_programs(manifest.origin.server_version // 10_000, programs)
    room = _require_room(backup)
    wrong = verify_backup(backup, folder)
    verified = Step("files", "every file is as it was written", tuple(wrong))
    steps, until, restore_ms = [Step("room", str(room)), verified], manifest.figures.read_at, 0
    if not wrong:
        try:
            with _restored(backup, folder) as restored:
                restore_ms = restored.restore_ms
                until, looked = _look(backup, restored, folder)
                steps += looked
        except (psycopg.Error, DatabaseError, OSError) as error:
            steps.append(Step("restore", "it could be restored", (_why(error),)))
    return DrillReport(
        backup=manifest.name, steps=tuple(steps), restore_ms=restore_ms, covers_until=until
    )


def _require_room(backup: Backup) -> Room:
    """Look for room where the scratch server will be; of older backups only their size is known."""
    in_files = sum(each.manifest.bytes for each in chain_of(backup))
    place = short_temporary_place(server_user())
    hint = "Make room there, or set TMPDIR to a short path on a larger disk."
    return require_room(place, backup.manifest.restored_bytes or in_files, hint=hint)


def _why(error: Exception) -> str:
    """Say why a house could not be restored, or not be looked at, whatever kind of error it was."""
    if isinstance(error, psycopg.Error):
        return translate(error).render()
    return error.render() if isinstance(error, DatabaseError) else f"{error}"


@contextmanager
def _restored(backup: Backup, programs: Path) -> Iterator[_Restored]:
    """Give the restored house; how long it took counts from here to its first answer."""
    started = monotonic_seconds()
    is_dump = backup.manifest.kind is BackupKind.LOGICAL
    with (_from_dump if is_dump else _from_files)(backup, programs) as conninfo:
        with connect(conninfo, schema=backup.manifest.origin.schema) as session:
            session.execute(query("server_now"))
        yield _Restored(conninfo=conninfo, restore_ms=round((monotonic_seconds() - started) * 1000))


@contextmanager
def _from_files(backup: Backup, programs: Path) -> Iterator[str]:
    folders = [each.folder / DATA for each in chain_of(backup)]

    def fill(target: Path) -> None:
        run_program([programs / "pg_combinebackup", "--no-sync", *folders, "--output", target])

    origin = backup.manifest.origin
    with restored_server(fill, superuser=origin.superuser, programs=programs) as server:
        server.start()
        yield server.conninfo(origin.database)


@contextmanager
def _from_dump(backup: Backup, programs: Path) -> Iterator[str]:
    """Restore a dump into a server that has the roles, since a dump holds no roles."""
    origin = backup.manifest.origin
    with EmbeddedServer.temporary(_SCRATCH, is_scratch=True) as server:
        with connect(server.conninfo(), autocommit=True, limits=NO_LIMITS) as session:
            known = set(session.execute(query("origin")).fetchone()[3])  # type: ignore[index]
            for role in sorted(set(origin.roles) - known):
                session.execute(sql.SQL(query("make_role")).format(role=sql.Identifier(role)))
        is_new = origin.database not in {"postgres", "template1"}
        words = [*_QUIET, *(["--create"] if is_new else [])]
        file = backup.folder / DUMP
        run_program([programs / "pg_restore", *words, file], server.conninfo())
        yield server.conninfo(origin.database)


def _look(backup: Backup, restored: _Restored, programs: Path) -> tuple[datetime, list[Step]]:
    """Look at a restored house; return up to when it goes, and what was seen."""
    manifest = backup.manifest
    is_dump = manifest.kind is BackupKind.LOGICAL
    with connect(
        restored.conninfo, schema=manifest.origin.schema, autocommit=True, limits=NO_LIMITS
    ) as session:
        row = session.execute(query("newest_commit")).fetchone() or (None,)
        steps = [
            _compared(session, manifest.figures, exact=is_dump),
            _seals_go_on(session, manifest.figures),
            *_examined(session),
            _pages_hold(restored, programs),
        ]
    return row[0] or manifest.figures.read_at, steps


def _compared(session: Session, expected: Figures, *, exact: bool) -> Step:
    session.isolation_level = IsolationLevel.REPEATABLE_READ
    with session.transaction():
        found = read_figures(session, whole=exact, laws=False, horizon=expected.horizon)
    session.isolation_level = None
    settled = sum(table.settled_rows for table in found.tables.values())
    rows = sum(table.rows for table in found.tables.values())
    later = rows - sum(table.rows for table in expected.tables.values())
    what = (
        f"{rows:,} rows in {len(found.tables)} tables, {settled:,} of them compared one by one, "
        f"{max(later, 0):,} from after the figures"
    )
    return Step("rows", what, tuple(differences(expected, found, exact=exact)))


def _seals_go_on(session: Session, expected: Figures) -> Step:
    """Look whether the seals of the manifest are there; laws look at what they cover."""
    problems = []
    seals = {
        "audit": expected.audit_seal,
        "ledger": expected.ledger_seal,
        "record": expected.record_seal,
    }
    for name, seal in seals.items():
        if seal is not None and read_seal(session, f"{name}_seal", seal.seq) != seal:
            problems.append(f"seal {seal.seq} of the {name} is not the one that was made")
    heads = [seal.head[:12] for seal in seals.values() if seal]
    told = f"the chains go on from {', '.join(heads)}" if heads else "nothing was sealed"
    return Step("seals", told, tuple(problems))


def _examined(session: Session) -> list[Step]:
    checks = [check for check in CHECKS if check.name in EXAMINED]
    return [
        Step(
            one.check.name,
            one.finding.what,
            () if one.finding.verdict in _GOOD else (one.finding.what,),
        )
        for one in examine(Ground(session=session), checks)
    ]


_GOOD = (Verdict.OK, Verdict.WARNING)


def _pages_hold(restored: _Restored, programs: Path) -> Step:
    """Read every page, and look each row up in its indexes."""
    words = ["--install-missing", "--heapallindexed", "--no-password"]
    done = try_program([programs / "pg_amcheck", *words], restored.conninfo, option="")
    problems = () if done.returncode == 0 else (done.stdout.strip(),)
    return Step("pages", "every page was read, every row is in its indexes", problems)
