"""What one session at a time may hold, for as long as it lasts, and only whoever may write.

PostgreSQL lets any role take any advisory lock, so one whose key can be computed is held by whoever
likes to stop the house. Here it is an advisory lock under a random number in a class of its own:
nobody can hold it beforehand, and another's counts only if that role may write the table that the
lock is about. It ends with the session, however that ends, and needs no open transaction
(decision 039). Two who try at the same moment may refuse each other; where that is not to be,
callers take turns before.
"""

import secrets
from dataclasses import asdict, dataclass
from typing import Any

from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLock:
    """What is locked, by its name; `schema` is the session's own unless it is given.

    Whoever may insert into `table` may hold it; as long as there is no such table, whoever may make
    one, or the schema.
    """

    name: str
    table: str
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """The session that has a lock."""

    pid: int
    application: str
    user: str
    address: str


def try_lock(session: Session, lock: SessionLock) -> int | None:
    """Lock for this session unless another has it; return the number to unlock by.

    Whoever only looks is in nobody's way: the lock is taken when nobody has one, and others are
    looked for again once it can be seen.
    """
    if holders(session, lock):
        return None
    number = lock_beside(session, lock)
    if holders(session, lock):
        unlock(session, lock, number)
        return None
    return number


def lock_beside(session: Session, lock: SessionLock) -> int:
    """Lock for this session beside all others who do; return the number to unlock by."""
    while True:
        number = secrets.randbits(32) - (1 << 31)
        if _ask(session, "take_session_lock", lock, number=number) == [(True,)]:
            return number


def unlock(session: Session, lock: SessionLock, number: int) -> None:
    """Give a lock of this session back."""
    _ask(session, "give_session_lock_back", lock, number=number)


def holders(session: Session, lock: SessionLock) -> list[Holder]:
    """Return the other sessions that have a lock and may."""
    return [Holder(*row) for row in _ask(session, "session_lock_holders", lock)]


def _ask(session: Session, query: str, lock: SessionLock, **facts: object) -> list[tuple[Any, ...]]:
    parameters = {**asdict(lock), **facts}
    return session.execute(load_queries("tradewright.postgres")[query], parameters).fetchall()
