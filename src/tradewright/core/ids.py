"""Identifiers made by the client: time-ordered UUIDs, version 7 (RFC 9562, section 5.7).

Rows are inserted in the order of these keys, which keeps the right edge of every primary key
index hot and nothing else. They are made here and not by the server because a batch must know
the keys of the rows that refer to each other before it writes any of them.
"""

from uuid import UUID

from uuid_utils import uuid7 as _uuid7


def new_id() -> UUID:
    """Return a new time-ordered identifier."""
    return UUID(int=_uuid7().int)


def new_id_text() -> str:
    """Return a new time-ordered identifier in its canonical text form (36 characters)."""
    return str(_uuid7())
