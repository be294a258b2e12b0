"""Identifiers made by the client: time-ordered UUIDs, version 7 (RFC 9562, section 5.7).

Rows are inserted in the order of these keys, which keeps the right edge of every primary key
index hot and nothing else. They are made here and not by the server because a batch must know
the keys of the rows that refer to each other before it writes any of them.
"""

import re
from uuid import UUID

from uuid_utils import uuid7 as _uuid7

from tradewright.core.errors import ErrorCode, InputError

_ID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def new_id() -> UUID:
    """Return a new time-ordered identifier."""
    return UUID(int=_uuid7().int)


def new_id_text() -> str:
    """Return a new time-ordered identifier in its canonical text form (36 characters)."""
    return str(_uuid7())


def require_ids(*given: str) -> None:
    """Refuse text that is not an id in its canonical form, before it is sent anywhere.

    Raises:
        InputError: INPUT_ID_MALFORMED, naming the first that is not.

    """
    for text in given:
        if not _ID.fullmatch(text):
            raise InputError(
                ErrorCode.INPUT_ID_MALFORMED,
                f'id "{text[:80]}" is not a UUID in its canonical form',
                why="Ids are compared as text, so there is one way to write each.",
                hint="Write 32 hexadecimal digits in small letters, with four hyphens.",
                facts={"id": text[:80]},
            )
