"""The only SQL of this room: keys and sessions, written, found and ended."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tradewright.access.model import ApiKey
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose a key or session is; `is_good` when nothing has ended it and its user is active."""

    user_id: str
    email: str
    roles: list[str]
    scopes: list[str]
    hash: bytes
    is_good: bool
    is_use_due: bool
    key_id: str


def insert_key(connection: Session, row: Mapping[str, Any]) -> bool:
    """Write a key; False when its user is not active or does not exist."""
    return connection.execute(_query("add_api_key"), row).fetchone() is not None


def read_keys(
    connection: Session,
    *,
    key_id: str | None = None,
    user_id: str | None = None,
    with_ended: bool,
    count_max: int,
) -> list[ApiKey]:
    """Return keys, the newest first."""
    asked = {"id": key_id, "user_id": user_id, "with_ended": with_ended, "count_max": count_max}
    return [ApiKey(*row) for row in connection.execute(_query("api_keys"), asked)]


def insert_revocation(connection: Session, key_id: str, *, actor: str, reason: str) -> None:
    """End a key, and what browsers have opened with it."""
    columns = {"key_id": key_id, "revoked_by": actor, "reason": reason}
    connection.execute(_query("add_api_key_revocation"), columns)
    connection.execute(_query("end_sessions_of_key"), {"key_id": key_id})


def read_key_holder(connection: Session, key_id: str) -> Holder | None:
    """Return whose key it is."""
    row = connection.execute(_query("key_holder"), {"id": key_id}).fetchone()
    return None if row is None else Holder(*row)


def note_use_of_key(connection: Session, key_id: str) -> None:
    """Note that a key is used now."""
    connection.execute(_query("note_use_of_key"), {"id": key_id})


def insert_session(
    connection: Session, *, session_id: str, key_id: str, token_hash: bytes, lasting: timedelta
) -> datetime:
    """Write a session; return when it ends at the latest."""
    columns = {"id": session_id, "key_id": key_id, "token_hash": token_hash, "lasting": lasting}
    row = connection.execute(_query("add_console_session"), columns).fetchone()
    if row is None:
        raise AssertionError("INSERT ... RETURNING gives a row")
    expires_at: datetime = row[0]
    return expires_at


def read_session_holder(connection: Session, session_id: str, idle: timedelta) -> Holder | None:
    """Return whose session it is."""
    asked = {"id": session_id, "idle": idle}
    row = connection.execute(_query("session_holder"), asked).fetchone()
    return None if row is None else Holder(*row)


def read_good(
    connection: Session,
    *,
    key_ids: AbstractSet[str],
    session_ids: AbstractSet[str],
    idle: timedelta,
) -> dict[str, bool]:
    """Return which keys and sessions are good, and whether a use of the key is to be noted."""
    asked = {"key_ids": list(key_ids), "session_ids": list(session_ids), "idle": idle}
    return dict(connection.execute(_query("good_keys_and_sessions"), asked).fetchall())


def note_use_of_session(connection: Session, session_id: str) -> None:
    """Note that a session is used now."""
    connection.execute(_query("note_use_of_session"), {"id": session_id})


def end_session(connection: Session, session_id: str) -> None:
    """End a session that is left."""
    connection.execute(_query("end_console_session"), {"id": session_id})


def _query(name: str) -> str:
    return load_queries("tradewright.access")[name]
