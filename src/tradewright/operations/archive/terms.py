"""What people decide about the archive: how long records are kept, and which months are held.

Each function works in the caller's transaction, which names who acts and why.
"""

from collections.abc import Mapping
from datetime import date

from msgspec import structs

from tradewright.core.errors import ErrorCode, StateError
from tradewright.operations.archive import store
from tradewright.operations.archive.model import Hold, Retention
from tradewright.postgres.connect import Session


def read_retention(session: Session) -> Retention:
    """Read how long the audit log is kept."""
    return store.read_retention(session)


def change_retention(session: Session, changes: Mapping[str, int]) -> Retention:
    """Change how long the audit log is kept; what is not given stays.

    Raises:
        psycopg.Error: a CHECK of audit_retention, ARCHIVE_TERMS_MALFORMED.

    """
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
