"""The house's own record of its backups and drills, and what it has declared about them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.operations.backup.figures import query
from tradewright.operations.backup.model import Manifest
from tradewright.postgres.connect import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupRun:
    """A backup or a drill that has ended."""

    kind: str
    backup: str
    started_at: datetime
    finished_at: datetime
    outcome: str
    bytes: int | None
    covers_until: datetime | None
    restore_ms: int | None
    error: str | None


def server_now(session: Session) -> datetime:
    """Return the time by the server's clock."""
    row = session.execute(query("server_now")).fetchone()
    if row is None:
        raise LookupError("server_now")
    now: datetime = row[0]
    return now


def record_backup(session: Session, manifest: Manifest) -> None:
    """Write down that a backup was made and verified."""
    facts = {"bytes": manifest.bytes, "covers_until": manifest.figures.read_at}
    _record(session, manifest.kind.value, manifest.name, manifest.started_at, **facts)


def record_failure(
    session: Session, kind: str, name: str, started_at: datetime, error: TradewrightError
) -> None:
    """Write down that a backup or drill has failed, and why."""
    facts = {"outcome": "failed", "error_code": str(error.code), "error": error.render()}
    _record(session, kind, name, started_at, **facts)


def record_drill(  # noqa: PLR0913 (what came of it)
    session: Session,
    backup: str,
    started_at: datetime,
    *,
    bytes_restored: int,
    covers_until: datetime,
    restore_ms: int,
    problems: str = "",
) -> None:
    """Write down what came of a drill."""
    facts: dict[str, object] = {
        "bytes": bytes_restored,
        "covers_until": covers_until,
        "restore_ms": restore_ms,
    }
    if problems:
        code = str(ErrorCode.BACKUP_DIFFERS)
        facts |= {"outcome": "failed", "error_code": code, "error": problems}
    _record(session, "drill", backup, started_at, **facts)


def read_runs(session: Session, count_max: int) -> list[BackupRun]:
    """Return the backups and drills that ended last, the newest first."""
    return [
        BackupRun(
            kind=row[0],
            backup=row[1],
            started_at=row[2],
            finished_at=row[3],
            outcome=row[4],
            bytes=row[5],
            covers_until=row[6],
            restore_ms=row[7],
            error=row[8],
        )
        for row in session.execute(query("runs"), {"count_max": count_max})
    ]


def require_age(session: Session, kind: str, within: timedelta | None) -> None:
    """Declare how old the last of a kind may be; None takes back what was declared."""
    session.execute(query("require_age"), {"kind": kind, "within": within})
    session.execute(query("watch"))


def _record(
    session: Session, kind: str, backup: str, started_at: datetime, **facts: object
) -> None:
    nothing = dict.fromkeys(("bytes", "covers_until", "restore_ms", "error_code", "error"))
    row = {"kind": kind, "backup": backup, "started_at": started_at, "outcome": "succeeded"}
    session.execute(query("record_run"), {**nothing, **row, **facts})
    session.execute(query("watch"))
