"""What all reports read alike: the instant, the seals, and whether what is asked for is there."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from tradewright.compliance.model import Row, Scope
from tradewright.core.errors import ErrorCode, InputError
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

ROWS_AT_ONCE = 2_000
"""Rows that are fetched from the server at a time: however long a report, no more are in memory."""

_QUERIES = "tradewright.compliance"


def prepare(session: Session) -> None:
    """Let the transaction take the time that a long report needs, and tell times in UTC."""
    session.execute(load_queries(_QUERIES)["prepare"])


def read_instant(session: Session) -> datetime:
    """Return when the transaction began, by the server's clock.

    The snapshot is taken after that: what was committed by this instant is in the report.
    """
    return _instants(session)[0]


def read_clock(session: Session) -> datetime:
    """Return what the server's clock says: nothing in the snapshot was stamped later."""
    return _instants(session)[1]


def _instants(session: Session) -> tuple[datetime, datetime]:
    row = session.execute(load_queries(_QUERIES)["instant"]).fetchone()
    if row is None:
        raise AssertionError("a SELECT without FROM gives a row")
    return row[0], row[1]


def read_seals(session: Session) -> Mapping[str, str]:
    """Return how far the audit log and the ledger are sealed."""
    rows = session.execute(load_queries(_QUERIES)["seals"])
    return {f"{record}_seals": told for record, told in rows}


def require_there(session: Session, scope: Scope) -> None:
    """Refuse an account, order, provider or instrument that is not there.

    Raises:
        InputError: ACCOUNT_UNKNOWN, ORDER_UNKNOWN, PROVIDER_UNKNOWN or INSTRUMENT_UNKNOWN.

    """
    asked = {
        "account_id": scope.account_id,
        "order_id": scope.order_id,
        "provider": scope.provider,
        "symbol": scope.symbol,
    }
    row = session.execute(load_queries(_QUERIES)["there"], asked).fetchone() or ()
    codes = (
        ErrorCode.ACCOUNT_UNKNOWN,
        ErrorCode.ORDER_UNKNOWN,
        ErrorCode.PROVIDER_UNKNOWN,
        ErrorCode.INSTRUMENT_UNKNOWN,
    )
    kinds = ("account", "order", "liquidity provider", "instrument")
    for code, kind, name, is_there in zip(codes, kinds, asked.values(), row, strict=True):
        if not is_there:
            raise InputError(
                code,
                f'{kind} "{name}" does not exist',
                why="A report about what is not there would be empty, and look as if all was well.",
                hint=f"Correct the {kind}.",
                facts={"name": name},
            )


def count(session: Session, query: str, asked: Mapping[str, object]) -> Row:
    """Return the figures of a query of one row."""
    return session.execute(query, asked).fetchone() or ()


def stream(session: Session, query: str, asked: Mapping[str, object]) -> Iterator[Row]:
    """Read the rows of a query through a cursor of the server, some at a time."""
    with session.cursor(name="report") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        yield from cursor.execute(query, asked)
