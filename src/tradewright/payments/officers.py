"""Who may decide about payments: an active user with the role, never the payment's owner."""

from tradewright.core.errors import ErrorCode, StateError
from tradewright.payments import store
from tradewright.payments.model import Payment
from tradewright.payments.users import require_user
from tradewright.postgres.connect import Session

OFFICER_ROLE = "payments_officer"


def require_officer(connection: Session, payment: Payment, officer_id: str) -> None:
    """Refuse whoever may not decide about a payment.

    Raises:
        InputError: USER_UNKNOWN.
        StateError: USER_NOT_ACTIVE, USER_ROLE_MISSING, PAYMENT_APPROVAL_REFUSED.

    """
    require_user(connection, officer_id)
    if not store.has_role(connection, officer_id, OFFICER_ROLE):
        raise StateError(
            ErrorCode.USER_ROLE_MISSING,
            f'user "{officer_id}" is no payments officer',
            why="Payments are approved by users with the role payments_officer.",
            hint="Have an officer decide.",
        )
    if officer_id == payment.user_id:
        raise StateError(
            ErrorCode.PAYMENT_APPROVAL_REFUSED,
            f'user "{officer_id}" owns {payment.kind} "{payment.id}" and cannot approve it',
            why="Four eyes: the officer who decides is never the owner.",
            hint="Have another officer decide.",
        )
