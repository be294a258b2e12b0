"""Who pays: the users behind payments, and which of them may begin, approve and be paid."""

from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.payments import store
from tradewright.payments.debts import require_no_debts
from tradewright.payments.model import PaymentUser
from tradewright.postgres.connect import Session


def require_payable(connection: Session, user_id: str) -> None:
    """Refuse to pay out to a user who is not active, or who owes anything.

    Raises:
        InputError: USER_UNKNOWN.
        StateError: USER_NOT_ACTIVE, PAYMENT_DEBT_OPEN.

    """
    require_user(connection, user_id)
    require_no_debts(connection, user_id)


def require_user(connection: Session, user_id: str) -> PaymentUser:
    """Return an active user.

    Raises:
        InputError: USER_UNKNOWN.
        StateError: USER_NOT_ACTIVE.

    """
    user = find_user(connection, user_id)
    require_active(user_id, user)
    return user


def find_user(connection: Session, user_id: str) -> PaymentUser:
    """Return a user, active or not.

    Raises:
        InputError: USER_UNKNOWN.

    """
    user = store.read_user(connection, user_id)
    if user is None:
        raise InputError(
            ErrorCode.USER_UNKNOWN,
            f'user "{user_id}" does not exist',
            why="No user has this id.",
            hint="Correct the id.",
        )
    return user


def require_active(user_id: str, user: PaymentUser) -> None:
    """Refuse a user who is suspended or closed.

    Raises:
        StateError: USER_NOT_ACTIVE.

    """
    if user.status != "active":
        raise StateError(
            ErrorCode.USER_NOT_ACTIVE,
            f'user "{user_id}" is {user.status}',
            why="Only active users pay in, withdraw and approve.",
            hint="Have the user activated.",
        )
