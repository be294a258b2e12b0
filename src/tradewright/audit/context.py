"""Who acts, and why: what the audit trail writes beside every change of this transaction.

Both are claims of the client. The trail also keeps the role that the server authenticated.
"""

from psycopg.pq import TransactionStatus

from tradewright.postgres.connect import Session


def acting_as(connection: Session, actor: str, *, reason: str = "") -> None:
    """Name the actor of the current transaction, and its reason; forgotten when it ends.

    On a session in autocommit a transaction must be open, because the name would be forgotten at
    the end of this very call.

    Raises:
        ValueError: when `actor` is empty, or when there is no transaction to name it for.

    """
    if not actor.strip():
        raise ValueError("actor must be a name, not empty")
    idle = connection.info.transaction_status == TransactionStatus.IDLE
    if connection.autocommit and idle:
        raise ValueError("acting_as needs an open transaction on a session in autocommit")
    connection.execute(
        "SELECT set_config('app.actor', %s, true), set_config('app.reason', %s, true)",
        (actor, reason),
    )
