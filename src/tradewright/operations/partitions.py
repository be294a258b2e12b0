"""The months of the audit log: what there is, and making those to come."""

from tradewright.operations.archive.model import Partition
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries


def list_partitions(session: Session) -> list[Partition]:
    """Read every month with its bounds, rows, bytes, seals and state; counts the whole log."""
    rows = session.execute(load_queries("tradewright.operations")["list_partitions"])
    return [
        Partition(
            month=row[0],
            from_at=row[1],
            to_at=row[2],
            rows=row[3],
            bytes=row[4],
            sealed_up_to=row[5],
            unsealed_rows=row[6],
            state=row[7],
            is_held=row[8],
        )
        for row in rows
    ]


def make_partitions(session: Session, months: int) -> int:
    """Make the partitions of this and the next months that are missing; return how many.

    Tells people when fewer than two months lie ahead, also when making them fails.
    """
    queries = load_queries("tradewright.operations")
    try:
        row = session.execute(queries["make_partitions"], {"months": months}).fetchone()
    finally:
        tell_months_ahead(session)
    return 0 if row is None else int(row[0])


def tell_months_ahead(session: Session) -> None:
    """Raise or end the alert that fewer than two months lie ahead."""
    session.execute(load_queries("tradewright.operations")["tell_months_ahead"])
