"""Make a backup: figures in a snapshot, then the copy or the dump, verified before it has its name.

The figures are read before a copy of the files is begun, so all that they show is in it. A dump is
made of the very snapshot that they were read in.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
import psycopg
from psycopg import IsolationLevel

from tradewright import audit
from tradewright.core.clock import utc_now
from tradewright.core.errors import ErrorCode, StateError, TradewrightError
from tradewright.ledger import sealing
from tradewright.operations.backup.figures import query, read_figures
from tradewright.operations.backup.folders import (
    DATA,
    DUMP,
    SERVER_MANIFEST,
    Backup,
    begin_folder,
    end_folder,
    find_backup,
    size_of,
    write_manifest,
)
from tradewright.operations.backup.model import FORMAT, BackupKind, Figures, Manifest, Origin
from tradewright.operations.backup.record import record_backup, record_failure, server_now
from tradewright.operations.backup.room import require_room
from tradewright.operations.backup.verifying import verify_folder
from tradewright.postgres.connect import DEFAULT_SCHEMA, NO_LIMITS, Session, connect
from tradewright.postgres.programs import find_programs, run_program
from tradewright.postgres.refusals import translate


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Whose backup it is: how to connect, and where PostgreSQL's programs are if not found."""

    conninfo: str
    schema: str = DEFAULT_SCHEMA
    programs: Path | None = None

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Give a session in autocommit that may read for as long as it takes."""
        with connect(
            self.conninfo,
            schema=self.schema,
            autocommit=True,
            limits=NO_LIMITS,
            application_name="backup",
        ) as session:
            yield session


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What kind of backup is wanted, and where to; `base` is what an incremental one builds on.

    `is_gentle` spreads the checkpoint that a copy begins with; `laws` checks them in the snapshot.
    """

    to: Path
    kind: BackupKind
    base: Path | None = None
    is_gentle: bool = False
    laws: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """A backup on its way: its name, when it began, and on which server."""

    order: Order
    name: str
    origin: Origin
    started_at: datetime


def take_backup(house: House, order: Order) -> Backup:
    """Make a backup, verify it, record it in the house, and return it.

    Raises:
        StateError: BACKUP_REFUSED, BACKUP_PROGRAMS_MISSING, BACKUP_ROOM_SHORT,
            BACKUP_FOLDER_UNWRITABLE.
        InputError: BACKUP_FOLDER_UNUSABLE for a base that is none.
        DatabaseError: BACKUP_PROGRAM_FAILED, or the server's.

    """
    try:
        with house.session() as session:
            begun = _begin(session, house, order)
            try:
                with _written(order.to):
                    backup = _taken(session, house, begun)
            except TradewrightError as error:
                with suppress(psycopg.Error):
                    record_failure(session, order.kind, begun.name, begun.started_at, error)
                raise
            record_backup(session, backup.manifest)
            return backup
    except psycopg.Error as error:
        raise translate(error) from error


@contextmanager
def _written(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StateError(
            ErrorCode.BACKUP_FOLDER_UNWRITABLE,
            f'folder "{folder}" could not be written to',
            why=f"{error.strerror or error}.",
            hint="Make room, or mend the disk or its rights; nothing was kept of the backup.",
            facts={"folder": folder},
        ) from error


def _begin(session: Session, house: House, order: Order) -> _Begun:
    version, database, superuser, roles = session.execute(query("origin")).fetchone() or ()
    return _Begun(
        order=order,
        name=f"{utc_now():%Y%m%dT%H%M%S%f}Z-{order.kind}",
        origin=Origin(
            server_version=version,
            database=database,
            schema=house.schema,
            superuser=superuser,
            roles=roles,
        ),
        started_at=server_now(session),
    )


def _require_ready(session: Session, order: Order) -> None:
    row = session.execute(query("readiness")).fetchone() or ()
    may_replicate, role, wal_level, senders, summarizes, tablespaces = row
    if not may_replicate:
        raise _refused(
            f'role "{role}" may not copy the server\'s files',
            "Only a role with REPLICATION may.",
            f'As a superuser: ALTER ROLE "{role}" REPLICATION; and let pg_hba.conf have a line '
            f"`host replication {role} ADDRESS scram-sha-256`.",
        )
    if wal_level == "minimal" or senders < 2:
        raise _refused(
            f"wal_level is {wal_level} and max_wal_senders is {senders}",
            "A copy of the files needs the WAL that was written meanwhile, by a second session.",
            "Set wal_level = replica and max_wal_senders = 10, and restart the server.",
        )
    if tablespaces:
        raise _refused(
            f"the server has {tablespaces} tablespaces of its own",
            "Their files lie elsewhere, and a restore on the same machine would overwrite those.",
            "Take a dump with --logical, which holds their rows too, or move the tables to "
            "pg_default.",
        )
    _require_summaries(order, summarizes)


def _require_summaries(order: Order, summarizes: str) -> None:
    if order.kind is BackupKind.INCREMENTAL and summarizes != "on":
        raise _refused(
            "the server does not summarize its WAL",
            "It cannot tell which blocks have changed since the other backup.",
            "As a superuser: ALTER SYSTEM SET summarize_wal = on; SELECT pg_reload_conf(); then "
            "take a full backup first.",
        )


def _taken(session: Session, house: House, begun: _Begun) -> Backup:
    """Write the backup aside, verify it, and give it its name; leave nothing if that fails."""
    programs = find_programs(begun.origin.server_version // 10_000, house.programs)
    if begun.order.kind is not BackupKind.LOGICAL:
        _require_ready(session, begun.order)
    restored_bytes = _require_room(session, begun.order)
    folder = begin_folder(begun.order.to, begun.name)
    try:
        if begun.order.kind is BackupKind.LOGICAL:
            manifest, file = _dumped(session, house.conninfo, begun, folder, programs), DUMP
        else:
            manifest = _copied(session, house.conninfo, begun, folder, programs)
            file = SERVER_MANIFEST
        manifest = msgspec.structs.replace(manifest, restored_bytes=restored_bytes)
        write_manifest(folder, manifest, [file])
        _require_whole(Backup(folder, manifest), programs)
        return Backup(end_folder(folder, begun.name), manifest)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _require_room(session: Session, order: Order) -> int:
    """Look for room for the backup; return how much its restore will take.

    A dump holds no indexes and is compressed; an incremental copy has no more blocks than there is
    WAL since the other, whose first word on each block is the block.
    """
    row = session.execute(query("sizes")).fetchone() or (0, 0, 0)
    server, database, rows = row
    hint = "Make room, or name a folder on a larger disk with --to."
    if order.kind is BackupKind.LOGICAL:
        require_room(order.to, rows // 2, hint=hint)
        return int(database)
    size = server
    if order.base is not None:
        lsn = {"lsn": find_backup(order.base).manifest.start_lsn or "0/0"}
        size = min(server, *(session.execute(query("wal_since"), lsn).fetchone() or (server,)))
    require_room(order.to, size, hint=hint)
    return int(server)


def _dumped(
    session: Session, conninfo: str, begun: _Begun, folder: Path, programs: Path
) -> Manifest:
    """Dump the snapshot that the figures are read in."""
    with _snapshot(session):
        row = session.execute(query("export_snapshot")).fetchone() or ("",)
        figures = read_figures(session, whole=True, laws=begun.order.laws)
        words = ["--format=custom", "--no-password", f"--snapshot={row[0]}"]
        file = folder / DUMP
        run_program([programs / "pg_dump", *words, f"--file={file}"], conninfo)
    return _manifest(begun, figures, size=file.stat().st_size)


def _copied(
    session: Session, conninfo: str, begun: _Begun, folder: Path, programs: Path
) -> Manifest:
    """Copy the server's files, which hold all that the figures show, and the WAL until the end."""
    _seal(session)
    with _snapshot(session):
        figures = read_figures(session, whole=False, laws=begun.order.laws)
    order, base = begun.order, None
    words = ["--format=plain", "--wal-method=stream", "--manifest-checksums=SHA256"]
    words += ["--no-password", f"--checkpoint={'spread' if order.is_gentle else 'fast'}"]
    if order.base is not None:
        base = _base_of(order, order.base)
        words.append(f"--incremental={order.base / SERVER_MANIFEST}")
    target = f"--pgdata={folder / DATA}"
    run_program([programs / "pg_basebackup", *words, target], conninfo)
    facts = msgspec.json.decode((folder / SERVER_MANIFEST).read_bytes())
    return msgspec.structs.replace(
        _manifest(begun, figures, size=size_of(folder / DATA)),
        base=base,
        system_id=str(facts["System-Identifier"]),
        start_lsn=facts["WAL-Ranges"][0]["Start-LSN"],
        end_lsn=facts["WAL-Ranges"][-1]["End-LSN"],
    )


def _base_of(order: Order, folder: Path) -> str:
    """Return the name of the backup that another builds on; both lie beside each other."""
    base = find_backup(folder)
    is_beside = folder.resolve().parent == order.to.resolve()
    if base.manifest.kind is BackupKind.LOGICAL or not is_beside:
        raise _refused(
            f"no incremental backup can build on {folder}",
            "It is a dump." if is_beside else "It lies in another folder than the new one would.",
            f"Name a full or incremental backup in {order.to}.",
        )
    return base.manifest.name


def _manifest(begun: _Begun, figures: Figures, *, size: int) -> Manifest:
    return Manifest(
        format=FORMAT,
        name=begun.name,
        kind=begun.order.kind,
        base=None,
        started_at=begun.started_at,
        origin=begun.origin,
        system_id="",
        start_lsn="",
        end_lsn="",
        bytes=size,
        figures=figures,
    )


def _seal(session: Session) -> None:
    """Seal all that has ended, so that the heads in the manifest stand for it.

    A server that was restored from a dump refuses until it counts on; its backups have old heads.
    """
    try:
        sealing.seal(session)
        audit.seal(session)
    except psycopg.Error as error:
        told = translate(error)
        if told.code != ErrorCode.RECORD_RESTORED:
            raise told from error
    try:
        audit.seal_records(session)
    except psycopg.Error as error:
        raise translate(error) from error


@contextmanager
def _snapshot(session: Session) -> Iterator[None]:
    """Let all statements see the same instant."""
    session.isolation_level = IsolationLevel.REPEATABLE_READ
    session.read_only = True
    try:
        with session.transaction():
            yield
    finally:
        session.isolation_level, session.read_only = None, None


def _require_whole(backup: Backup, programs: Path) -> None:
    problems = verify_folder(backup, programs)
    if problems:
        raise StateError(
            ErrorCode.BACKUP_DIFFERS,
            "the backup is not what was written",
            why="; ".join(problems),
            hint="Look whether the disk is full or failing; nothing was kept of it.",
        )


def _refused(what: str, why: str, hint: str) -> StateError:
    return StateError(ErrorCode.BACKUP_REFUSED, what, why=why, hint=hint)
