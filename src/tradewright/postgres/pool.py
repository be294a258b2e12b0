"""A pool of sessions opened by `connect`'s rules; a thin factory over psycopg_pool."""

from typing import Unpack

from psycopg.conninfo import make_conninfo
from psycopg_pool import ConnectionPool, PoolTimeout

from tradewright.postgres.connect import (
    ConnectOptions,
    Session,
    connection_parameters,
    prepare_session,
    unreachable,
)


def open_pool(
    conninfo: str,
    size: int = 4,
    **options: Unpack[ConnectOptions],
) -> ConnectionPool[Session]:
    """Open a pool of at most `size` sessions; use it as a context manager or close it.

    Each session is checked when it is handed out, so a restart of the server is not noticed by
    the next borrower.

    Raises:
        InputError: INPUT_DATABASE_URL_MALFORMED.
        DatabaseError: DATABASE_UNREACHABLE when no session can be opened in time.

    """
    parameters = connection_parameters(conninfo, options)
    wait_seconds = options.get("connect_timeout_seconds", 10)
    pool = ConnectionPool(
        make_conninfo(**parameters),
        min_size=1,
        max_size=size,
        configure=lambda connection: prepare_session(connection, options),
        check=ConnectionPool.check_connection,
        timeout=wait_seconds,
        open=False,
    )
    try:
        pool.open(wait=True, timeout=wait_seconds)
    except PoolTimeout as error:
        pool.close()
        raise unreachable(parameters, str(error)) from None
    return pool
