"""Months of the audit log that have grown old: real audit rows, moved into another month.

The database stamps audit rows itself, and nobody may write them. So a test lets things happen as
they do, and before they are sealed it moves what was recorded into a month of long ago, as the
superuser whom no trigger stops.
"""

from datetime import UTC, date, datetime

from tests.cast import open_user
from tradewright import audit
from tradewright.postgres.connect import Session


def months_ago(count: int) -> date:
    """Return the month of so many months ago (UTC)."""
    today = datetime.now(UTC)
    years, month = divmod(today.year * 12 + today.month - 1 - count, 12)
    return date(years, month + 1, 1)


def age(session: Session, month: date) -> None:
    """Move all audit rows that no seal covers yet into a month, in their order."""
    session.execute("SELECT create_audit_log_partition(%s)", (month,))
    session.execute("SET session_replication_role = replica")
    session.execute(
        "UPDATE audit_log SET created_at = %s::date::timestamp AT TIME ZONE 'UTC'"
        " + (seq %% 1000) * interval '40 minutes' + interval '120 microseconds'"
        " WHERE txid >= (SELECT coalesce(max(to_txid), 0) FROM audit_seals)",
        (month,),
    )
    session.execute("RESET session_replication_role")


def old_month(session: Session, count: int = 40, *, users: int = 3) -> tuple[date, list[str]]:
    """Let users be opened and changed in the month of so many months ago, and seal it."""
    audit.seal(session)
    ids = [open_user(session) for _ in range(users)]
    for user_id in ids:
        session.execute("UPDATE users SET kyc_level = 3 WHERE id = %s", (user_id,))
    month = months_ago(count)
    age(session, month)
    audit.seal(session)
    return month, ids
