"""What users and accounts may do: suspended, reinstated, and accounts closed for ever.

A suspended account, or one of a suspended user, only reduces; `risk/checks/account_active` asks
that of each order. Changes are audited by trigger, and refused by the database where something is
left in an account that is to be closed. Halts are another thing: `risk/halts`.
"""

from tradewright.core.errors import ErrorCode, StateError
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.trading.inquiry import find_account, find_user

_QUERIES = "tradewright.trading"


def suspend_account(connection: Session, account_id: str) -> None:
    """Let an account only reduce its positions, from the next batch on; nothing is canceled.

    In the caller's transaction, which says who acts and why; waits for a batch that books in it.

    Raises:
        InputError: ACCOUNT_UNKNOWN.
        StateError: ACCOUNT_STATUS_REFUSED, if it is suspended already.
        psycopg.Error: ACCOUNT_STATUS_REFUSED, if it is closed.

    """
    _set_account_status(connection, account_id, "suspended")


def reinstate_account(connection: Session, account_id: str) -> None:
    """Let a suspended account trade again; as `suspend_account`."""
    _set_account_status(connection, account_id, "active")


def close_account(connection: Session, account_id: str) -> None:
    """Close an account for ever; as `suspend_account`.

    Raises:
        psycopg.Error: ACCOUNT_STATUS_REFUSED, with the positions, live orders, money and credit
            that stand in the way.

    """
    _set_account_status(connection, account_id, "closed")


def suspend_user(connection: Session, user_id: str) -> None:
    """Let a user begin and approve no payments, and the user's accounts only reduce.

    Raises:
        InputError: USER_UNKNOWN.
        StateError: USER_STATUS_REFUSED, if the user is suspended already.
        psycopg.Error: USER_STATUS_REFUSED, if the user is closed.

    """
    _set_user_status(connection, user_id, "suspended")


def reinstate_user(connection: Session, user_id: str) -> None:
    """Let a suspended user pay and trade again; as `suspend_user`."""
    _set_user_status(connection, user_id, "active")


def _set_account_status(connection: Session, account_id: str, status: str) -> None:
    find_account(connection, account_id)
    code = ErrorCode.ACCOUNT_STATUS_REFUSED
    _set_status(connection, "account", account_id, status=status, code=code)


def _set_user_status(connection: Session, user_id: str, status: str) -> None:
    find_user(connection, user_id)
    _set_status(connection, "user", user_id, status=status, code=ErrorCode.USER_STATUS_REFUSED)


def _set_status(
    connection: Session, kind: str, row_id: str, *, status: str, code: ErrorCode
) -> None:
    queries = load_queries(_QUERIES)
    row = connection.execute(queries[f"lock_{kind}_status"], {"id": row_id}).fetchone()
    if row == (status,):
        raise StateError(
            code,
            f'{kind} "{row_id}" is {status} already',
            why="There is nothing to change.",
            hint=f"Read it with `tradewright {kind}s show`.",
            facts={kind: row_id, "status": status},
        )
    connection.execute(queries[f"set_{kind}_status"], {"id": row_id, "status": status})
