"""Values of retention and archive: months, what files hold, holds, terms, and what came of work."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from msgspec import Struct

from tradewright.core.errors import ErrorCode, InputError

FORMAT = "tradewright-audit-archive-2"


class ArchiveState(StrEnum):
    """Where an archived month stands."""

    WRITTEN = "written"
    DETACHING = "detaching"
    DETACHED = "detached"
    DROPPED = "dropped"
    RESTORED = "restored"
    PURGED = "purged"


class Retention(Struct, frozen=True, kw_only=True):
    """How long the audit log is kept: at hand, in all, and detached before it is dropped."""

    months_online: int = 36
    months_total: int = 84
    grace_days: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month that has a table or an archive, and what stands in the way of its next step."""

    month: date
    has_table: bool
    is_attached: bool
    is_pending: bool
    state: ArchiveState | None
    is_due: bool
    is_held: bool
    is_droppable: bool
    droppable_on: date | None
    kept_until: date | None
    is_kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """What is recorded of an archived month."""

    month: date
    state: ArchiveState
    row_count: int
    first_at: datetime | None
    last_at: datetime | None
    digest: str
    file_bytes: int
    file_sha256: str
    written_at: datetime
    detached_at: datetime | None
    dropped_at: datetime | None
    purged_at: datetime | None
    kept_until: date | None
    is_held: bool
    has_table: bool


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal that covers rows of a month, and how many."""

    seq: int
    from_txid: int
    to_txid: int
    row_count: int
    head: str
    rows_here: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A legal hold: which months, by whom and why, and how it ended."""

    id: str
    from_month: date | None
    to_month: date | None
    actor: str
    reason: str
    held_at: datetime
    lifted_by: str | None
    lift_reason: str | None
    lifted_at: datetime | None


@dataclass(frozen=True, slots=True)
class MonthReport:
    """What was done about one month, step by step, and what had to be left, and why."""

    month: date
    steps: tuple[str, ...]
    left: str = ""


@dataclass(frozen=True, slots=True)
class MonthCheck:
    """What verifying an archive found; no faults is an archive that holds."""

    month: date
    state: ArchiveState
    row_count: int
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """A month of the audit log as it is listed: bounds in UTC, size, seals, where it stands."""

    month: date
    from_at: datetime
    to_at: datetime
    rows: int
    bytes: int | None
    sealed_up_to: datetime | None
    unsealed_rows: int
    state: str
    is_held: bool


def file_name(month: date) -> str:
    """Return what the file of a month is called."""
    return f"audit_log_{month:%Y_%m}.parquet"


def manifest_name(month: date) -> str:
    """Return what the manifest beside the file is called."""
    return f"audit_log_{month:%Y_%m}.json"


def read_month(text: str) -> date:
    """Read a month such as 2023-04.

    Raises:
        InputError: ARCHIVE_MONTH_MALFORMED.

    """
    try:
        return datetime.strptime(f"{text}-01 +0000", "%Y-%m-%d %z").date()
    except ValueError:
        raise InputError(
            ErrorCode.ARCHIVE_MONTH_MALFORMED,
            f'"{text}" is not a month',
            why="A month has a year of four digits and a number from 01 to 12.",
            hint="Write it as 2023-04.",
        ) from None
