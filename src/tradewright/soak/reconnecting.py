"""A session that is opened again as soon as its killed server is back."""

import psycopg

from tradewright.core.clock import monotonic_seconds, pause
from tradewright.core.errors import DatabaseError
from tradewright.postgres.connect import Session, connect

RECONNECT_SECONDS_MAX = 60
_RECONNECT_PAUSE = 0.05


def connect_again(conninfo: str) -> Session:
    """Open a session, as soon as the server is there.

    Raises:
        DatabaseError: DATABASE_UNREACHABLE when it does not come back.

    """
    deadline = monotonic_seconds() + RECONNECT_SECONDS_MAX
    while True:
        try:
            return connect(conninfo, autocommit=True)
        except (DatabaseError, psycopg.OperationalError):
            if monotonic_seconds() > deadline:
                raise
            pause(_RECONNECT_PAUSE)
