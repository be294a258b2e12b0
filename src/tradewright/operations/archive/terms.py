"""What people decide about the archive: how long records are kept, and which months are held.

Each function works in the caller's transaction, which names who acts and why.
"""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from msgspec import structs

from tradewright.core.errors import ErrorCode, StateError
from tradewright.core.ranges import Range, require_ranges, whole
from tradewright.operations.archive import store
from tradewright.operations.archive.model import Hold, Retention
from tradewright.postgres.connect import Session

RANGES: Mapping[str, Range] = MappingProxyType(
    {
        "months_online": whole(1, 600),
        "months_total": whole(60, 1200),
        "grace_days": whole(0, 365),
    }
)
"""What the terms may be, as audit_retention keeps it; MiFIR, article 25, asks for five years."""


def read_retention(session: Session) -> Retention:
    """Read how long the audit log is kept."""
    return store.read_retention(session)


def change_retention(session: Session, changes: Mapping[str, int]) -> Retention:
    """Change how long the audit log is kept; what is not given stays.

    Raises:
        InputError: ARCHIVE_TERMS_MALFORMED, for a number out of its range.
        psycopg.Error: the same, when not more months in all than online are given.

    """
    require_ranges(ErrorCode.ARCHIVE_TERMS_MALFORMED, changes, RANGES)
    retention = structs.replace(store.read_retention(session), **changes)
    store.change_retention(session, retention)
    return retention


def hold(
    session: Session, *, from_month: date | None, to_month: date | None, by: tuple[str, str]
) -> str:
    """Keep months from being detached, dropped and purged; return the hold's id.

    Without a first month from the beginning on, without a last one whatever comes.
    """
    return store.hold(session, from_month, to_month, actor=by[0], reason=by[1])


def lift(session: Session, hold_id: str, *, by: tuple[str, str]) -> None:
    """Lift a hold.

    Raises:
        StateError: ARCHIVE_HOLD_UNKNOWN.

    """
    if not store.lift(session, hold_id, actor=by[0], reason=by[1]):
        raise StateError(
            ErrorCode.ARCHIVE_HOLD_UNKNOWN,
            f'no hold "{hold_id}" stands',
            why="There is none of this id, or it was lifted before.",
            hint="See which stand with tradewright archive holds.",
        )


def read_holds(session: Session, *, with_lifted: bool = False) -> list[Hold]:
    """Read the holds that stand, oldest first, or all that ever stood."""
    return store.read_holds(session, with_lifted=with_lifted)
