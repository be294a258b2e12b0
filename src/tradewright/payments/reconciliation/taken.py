"""Statements that were taken in: their list, and how one is withdrawn.

A statement that was read for the wrong provider, or that the provider takes back, would keep its
day from being settled for ever. Once withdrawn its lines count no more, and the file may be read
again. Lines that were settled have moved money: such a statement stays.
"""

from dataclasses import dataclass
from datetime import datetime

from tradewright.core.errors import ErrorCode, InputError
from tradewright.payments.model import Provider
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries


@dataclass(frozen=True, slots=True)
class Statement:
    """A file of a provider: how many lines it has, how many were settled, and who withdrew it."""

    id: str
    provider: Provider
    format: str
    imported_at: datetime
    lines: int
    settled: int
    withdrawn_by: str | None
    reason: str | None


def list_statements(
    connection: Session, provider: Provider | None = None, *, count_max: int
) -> list[Statement]:
    """Return the statements of a provider, or of all, the newest first."""
    rows = connection.execute(
        load_queries("tradewright.payments.reconciliation")["statements"],
        {"provider": provider, "count_max": count_max},
    )
    return [Statement(row[0], Provider(row[1]), *row[2:]) for row in rows]


def withdraw_statement(
    connection: Session, statement_id: str, *, actor: str, reason: str
) -> Provider:
    """Let a statement count no more; return whose it is. Withdrawn again, it stays as it was.

    The next run of reconciliation compares without it.

    Raises:
        InputError: STATEMENT_UNKNOWN.
        StateError: STATEMENT_SETTLED.

    """
    queries = load_queries("tradewright.payments.reconciliation")
    row = connection.execute(queries["statement"], {"id": statement_id}).fetchone()
    if row is None:
        raise InputError(
            ErrorCode.STATEMENT_UNKNOWN,
            f'statement "{statement_id}" does not exist',
            why="No file of a payment provider was kept under this id.",
            hint="List them with tradewright payments statements.",
        )
    connection.execute(queries["lock_provider"], {"provider": row[0]})
    connection.execute(
        queries["withdraw_statement"], {"id": statement_id, "actor": actor, "reason": reason}
    )
    return Provider(row[0])
