"""Alerts: what people must know within five seconds (RTS 6, article 16), read or followed.

The database raises them with the rows that they are about and tells whoever listens on the channel
<schema>_alerts at the commit (LISTEN/NOTIFY), so nothing is polled; what was raised while nobody
listened stands in the table until it is acknowledged.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

_QUERIES = "tradewright.risk"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert; while it waits nobody has acknowledged it, and it is not over by itself."""

    id: str
    severity: str
    kind: str
    what: str
    raised_at: datetime
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    resolved_at: datetime | None


def read_alerts(
    connection: Session, *, count_max: int, with_acknowledged: bool = False
) -> list[Alert]:
    """Return the newest alerts, those that wait for somebody or all of them."""
    columns = {"count_max": count_max, "with_acknowledged": with_acknowledged}
    return [Alert(*row) for row in connection.execute(load_queries(_QUERIES)["alerts"], columns)]


def acknowledge(connection: Session, ids: Sequence[str], *, actor: str) -> int:
    """Note who has seen alerts; return how many had waited."""
    columns = {"ids": list(ids), "actor": actor}
    return len(connection.execute(load_queries(_QUERIES)["acknowledge_alerts"], columns).fetchall())


def listen(connection: Session) -> None:
    """Let a session in autocommit be told of alerts from now on."""
    row = connection.execute("SELECT current_schema()").fetchone()
    channel = sql.Identifier(f"{row[0] if row else ''}_alerts")
    connection.execute(sql.SQL("LISTEN {}").format(channel))


def follow(connection: Session, *, seconds: float | None = None) -> Iterator[Alert]:
    """Give alerts as they are raised, to a session that listens; for `seconds`, or for ever."""
    query = load_queries(_QUERIES)["alert"]
    while told := list(connection.notifies(timeout=seconds, stop_after=1)):
        for one in told:
            row = connection.execute(query, {"id": one.payload}).fetchone()
            if row is not None:
                yield Alert(*row)
