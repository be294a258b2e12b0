"""Four eyes: what an officer decides about payments that the house does not let through alone.

A withdrawal in conflict, of which the provider tells another amount, is ended either way: it was
paid, and what was set aside is taken; or it was not, and goes back.

The officer holds the role `payments_officer` and is never the payment's owner; the database
refuses the owner too.
"""

from tradewright.core.errors import ErrorCode, StateError
from tradewright.core.money import Money
from tradewright.payments import store
from tradewright.payments.model import Payment, PaymentKind, PaymentStatus, Provider
from tradewright.payments.officers import require_officer
from tradewright.payments.steps import (
    credit_deposit,
    fail_withdrawal,
    lock,
    pay_out,
    require_status,
)
from tradewright.payments.suspense import SuspenseItem, find_item, put_into_suspense
from tradewright.payments.users import require_payable
from tradewright.postgres.connect import Session


def approve_payment(
    connection: Session, payment_id: str, officer_id: str, *, seen: PaymentStatus | None = None
) -> Payment:
    """Let a payment go on that waits for approval: a deposit is credited, a withdrawal paid.

    A withdrawal in conflict is taken to be paid out as it was asked for. `seen`: the state that the
    officer saw; what waits for something else by now is not decided about.

    Raises:
        InputError: PAYMENT_UNKNOWN, USER_UNKNOWN.
        StateError: USER_NOT_ACTIVE, USER_ROLE_MISSING, PAYMENT_APPROVAL_REFUSED,
            PAYMENT_STATE_REFUSED, PAYMENT_DEBT_OPEN, and EXCHANGE_RATE_MISSING or
            EXCHANGE_RATE_STALE for coins that no limit could be measured by yet.

    """
    payment = lock(connection, payment_id)
    require_officer(connection, payment, officer_id)
    _require_seen(payment, seen)
    if payment.status is PaymentStatus.CONFLICTED and payment.kind is PaymentKind.WITHDRAWAL:
        return pay_out(connection, payment, approved_by=officer_id)
    if payment.approved_by == officer_id:
        return payment
    if payment.kind is PaymentKind.DEPOSIT:
        require_status(payment, PaymentStatus.SUCCEEDED, PaymentStatus.REQUIRES_APPROVAL)
        return credit_deposit(connection, payment, approved_by=officer_id)
    require_status(payment, PaymentStatus.PROCESSING, PaymentStatus.REQUIRES_APPROVAL)
    require_payable(connection, payment.user_id)
    return store.move_payment(
        connection, payment_id, PaymentStatus.PROCESSING, approved_by=officer_id
    )


def refuse_payment(
    connection: Session,
    payment_id: str,
    officer_id: str,
    *,
    reason: str,
    seen: PaymentStatus | None = None,
) -> Payment:
    """End a payment that waits for approval, or whose amount is in conflict, without success.

    A withdrawal gives its money back. What a provider has collected for a deposit goes into
    suspense, until another officer sends it back. Of a deposit in conflict only a statement tells
    what came: `put_aside` puts it there.

    Raises:
        InputError: PAYMENT_UNKNOWN, USER_UNKNOWN.
        StateError: USER_NOT_ACTIVE, USER_ROLE_MISSING, PAYMENT_APPROVAL_REFUSED,
            PAYMENT_STATE_REFUSED.

    """
    payment = lock(connection, payment_id)
    require_officer(connection, payment, officer_id)
    _require_seen(payment, seen)
    require_status(
        payment, PaymentStatus.FAILED, PaymentStatus.REQUIRES_APPROVAL, PaymentStatus.CONFLICTED
    )
    if payment.kind is PaymentKind.WITHDRAWAL:
        return fail_withdrawal(connection, payment_id, reason)
    failed = store.move_payment(connection, payment_id, PaymentStatus.FAILED, failure_reason=reason)
    has_come = payment.status is PaymentStatus.REQUIRES_APPROVAL
    if has_come and payment.provider is not Provider.DIRECT:
        money = Money(payment.amount, payment.currency)
        put_into_suspense(connection, payment, officer_id, money, reason=reason)
    return failed


def _require_seen(payment: Payment, seen: PaymentStatus | None) -> None:
    """Refuse a decision about a payment that has come to wait for something else since."""
    waiting = (PaymentStatus.REQUIRES_APPROVAL, PaymentStatus.CONFLICTED)
    if seen in {None, payment.status} or payment.status not in waiting:
        return
    raise StateError(
        ErrorCode.PAYMENT_STATE_REFUSED,
        f'payment "{payment.id}" was {seen} when it was looked at and is {payment.status} now',
        why="What is decided about it has become something else.",
        hint="Look at the payment again, then decide.",
    )


def put_aside(
    connection: Session, payment_id: str, officer_id: str, money: Money, *, reason: str
) -> SuspenseItem:
    """Put what a statement shows to have come for a deposit that was refused into suspense.

    Raises:
        InputError: PAYMENT_UNKNOWN, USER_UNKNOWN.
        StateError: USER_NOT_ACTIVE, USER_ROLE_MISSING, PAYMENT_APPROVAL_REFUSED,
            PAYMENT_SUSPENSE_REFUSED.

    """
    payment = lock(connection, payment_id, PaymentKind.DEPOSIT)
    require_officer(connection, payment, officer_id)
    item_id = put_into_suspense(connection, payment, officer_id, money, reason=reason)
    return find_item(connection, item_id)
