"""Where limits are kept: set and cleared with their actor in the trail, read with breaches."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import psycopg

from tradewright.audit import acting_as
from tradewright.core.errors import ErrorCode, InputError
from tradewright.postgres.connect import Session
from tradewright.postgres.pipeline import Statements
from tradewright.postgres.queries import load_queries
from tradewright.postgres.refusals import translate
from tradewright.risk.limits import Limit, LimitBook, LimitKind, Scope, Target

_QUERIES = "tradewright.risk"


@dataclass(frozen=True, slots=True)
class KeptBreach:
    """An order that a limit denied, as it is listed."""

    occurred_at: datetime
    kind: str
    scope: str
    target: str | None
    account_id: str
    symbol: str
    client_order_id: str
    limit_value: Decimal
    measured: Decimal


def set_limit(connection: Session, limit: Limit, *, actor: str) -> str:
    """Set a limit, or change the one that is set for the same; return its id.

    Works in a transaction of its own; holds for every batch that begins afterwards.

    Raises:
        InputError: RISK_LIMIT_MALFORMED, ACCOUNT_UNKNOWN, ACCOUNT_GROUP_UNKNOWN,
            INSTRUMENT_UNKNOWN, INPUT_CURRENCY_UNKNOWN.

    """
    columns = {
        "kind": limit.kind,
        "scope": limit.target.scope,
        "target": limit.target.name,
        "value": limit.value,
        "currency": limit.currency,
    }
    try:
        with connection.transaction():
            acting_as(connection, actor)
            row = connection.execute(load_queries(_QUERIES)["set_limit"], columns).fetchone()
    except psycopg.Error as error:
        raise translate(error) from error
    if row is None:
        raise AssertionError("INSERT ... RETURNING gives a row")
    return str(row[0])


def clear_limit(connection: Session, kind: LimitKind, target: Target, *, actor: str) -> None:
    """Let a limit hold no longer; its row stays for the breaches that name it.

    Raises:
        InputError: RISK_LIMIT_UNKNOWN.

    """
    columns = {"kind": kind, "scope": target.scope, "target": target.name}
    with connection.transaction():
        acting_as(connection, actor)
        row = connection.execute(load_queries(_QUERIES)["clear_limit"], columns).fetchone()
    if row is None:
        raise InputError(
            ErrorCode.RISK_LIMIT_UNKNOWN,
            f"no limit {kind} is set for {target.scope} {target.name or ''}".rstrip(),
            why="A limit is found by its kind and by what it holds for.",
            hint="Read the limits with `tradewright risk limit list`.",
        )


def read_limits(statements: Statements) -> tuple[Limit, ...]:
    """Return every limit that is set."""
    rows = statements.execute(load_queries(_QUERIES)["limits"], {}).fetchall()
    return tuple(
        Limit(
            id=row[0],
            kind=LimitKind(row[1]),
            target=Target(Scope(row[2]), row[3]),
            value=row[4].normalize(),
            currency=row[5],
        )
        for row in rows
    )


def read_limit_book(statements: Statements) -> LimitBook:
    """Return every limit that is set, to be asked order by order."""
    return LimitBook(read_limits(statements))


def read_breaches(connection: Session, *, count_max: int) -> list[KeptBreach]:
    """Return the newest orders that a limit has denied."""
    rows = connection.execute(load_queries(_QUERIES)["breaches"], {"count_max": count_max})
    return [KeptBreach(*row) for row in rows]
