r"""Write many rows at once: COPY FROM STDIN in PostgreSQL's text form.

A row is one line of tab-separated values that its maker has already put into COPY's text form:
`\\N` for NULL, `copy_text` for anything that may hold a tab, a backslash or a line's end. Making
the lines where the values are at hand costs a third of handing the values to the driver.
"""

from collections.abc import Iterable

import psycopg
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

from tradewright.postgres.connect import Session

NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copy_rows(connection: Session, statement: str, lines: Iterable[str]) -> None:
    """Send `lines` through `statement`, a COPY ... FROM STDIN, in the current transaction.

    Speaks to libpq itself: the driver's own copy object costs more than a small batch's rows.

    Raises:
        psycopg.Error: the server refused the rows; the transaction is then aborted.

    """
    pgconn, encoding = connection.pgconn, connection.info.encoding
    _require(pgconn, pgconn.exec_(statement.encode()), ExecStatus.COPY_IN, encoding)
    pgconn.put_copy_data("".join(lines).encode())
    pgconn.put_copy_end()
    result = pgconn.get_result()
    while (further := pgconn.get_result()) is not None:
        result = further
    _require(pgconn, result, ExecStatus.COMMAND_OK, encoding)


def _require(pgconn: PGconn, result: PGresult | None, status: ExecStatus, encoding: str) -> None:
    if result is None or result.status != status:
        if result is None or result.status != ExecStatus.FATAL_ERROR:
            raise psycopg.OperationalError(pgconn.get_error_message(encoding))
        raise psycopg.errors.error_from_result(result, encoding=encoding)


def copy_text(value: str) -> str:
    """Return free text in COPY's text form."""
    return value.translate(_ESCAPES)


def copy_value(value: object | None) -> str:
    """Return a value that needs no escaping (a number, an id, a code) or NULL."""
    return NULL if value is None else str(value)
