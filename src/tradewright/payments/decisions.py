"""What an officer does about a payment, whole: decided under their name, and what waited for it.

`approvals` decides in the caller's transaction; these open their own, since the news that waited
for a decision are taken after it was committed.
"""

from tradewright.audit import acting_as
from tradewright.payments.approvals import approve_payment, refuse_payment
from tradewright.payments.model import Payment, PaymentStatus, Provider
from tradewright.payments.service import find_payment
from tradewright.payments.webhooks.inbox import retry_waiting
from tradewright.postgres.connect import Session
from tradewright.postgres.retry import same_connection


def approve(
    connection: Session,
    payment_id: str,
    officer_id: str,
    *,
    reason: str = "",
    seen: PaymentStatus | None = None,
) -> Payment:
    """Let a payment go on that waits for approval, and take the news that waited for it.

    Raises:
        InputError, StateError: what `approve_payment` raises.

    """
    with connection.transaction():
        acting_as(connection, f"user:{officer_id}", reason=reason)
        payment = approve_payment(connection, payment_id, officer_id, seen=seen)
    if payment.provider is not Provider.DIRECT:
        retry_waiting(same_connection(connection), payment.provider)
    return find_payment(connection, payment.id)


def refuse(
    connection: Session,
    payment_id: str,
    officer_id: str,
    *,
    reason: str,
    seen: PaymentStatus | None = None,
) -> Payment:
    """End a payment that waits for approval or is in conflict, and take the news that waited.

    Raises:
        InputError, StateError: what `refuse_payment` raises.

    """
    with connection.transaction():
        acting_as(connection, f"user:{officer_id}", reason=reason)
        payment = refuse_payment(connection, payment_id, officer_id, reason=reason, seen=seen)
    if payment.provider is not Provider.DIRECT:
        retry_waiting(same_connection(connection), payment.provider)
    return find_payment(connection, payment.id)
