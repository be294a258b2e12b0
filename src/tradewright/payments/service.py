"""The steps of payments, each in the caller's transaction, each safe to repeat.

Every step first locks the user's wallet of that currency, then the payment: limits are counted,
states are read and money is moved under that lock, so two requests that pass a limit only
together never both pass. The ledger's keys are the payment's id, so a repeated step moves nothing.
"""

from decimal import Decimal

from tradewright import ledger
from tradewright.core.errors import ErrorCode, InputError, MoneyError, StateError
from tradewright.core.money import parse_amount
from tradewright.payments import store
from tradewright.payments.model import (
    FraudCheck,
    Limit,
    Payment,
    PaymentKind,
    PaymentRequest,
    PaymentStatus,
    PaymentUser,
    Verdict,
)
from tradewright.payments.rules import check_fraud, is_small, require_within_limit
from tradewright.postgres.connect import Session

OFFICER_ROLE = "payments_officer"


def deposit(
    connection: Session, *, payment_id: str, user_id: str, currency: str, amount: Decimal
) -> Payment:
    """Take money in: succeeded and credited, or failed when the fraud check denied it.

    A denied deposit is returned, not raised, because its record must outlive this transaction;
    call `require_not_denied` after the commit.

    Raises:
        InputError: USER_UNKNOWN, and the codes of amounts and currencies.
        StateError: USER_NOT_ACTIVE.
        MoneyError: PAYMENT_LIMIT_EXCEEDED, MONEY_IDEMPOTENCY_CONFLICT.

    """
    request = _request(
        PaymentKind.DEPOSIT,
        payment_id=payment_id,
        user_id=user_id,
        currency=currency,
        amount=amount,
    )
    user = _require_user(connection, user_id)
    store.lock_wallet(connection, user_id, currency, is_opened=True)
    existing = _replayed(connection, request)
    if existing is not None:
        return existing
    _require_limit(connection, request, user)
    check = _open(connection, request, user)
    if check.verdict is Verdict.DENY:
        return _deny(connection, payment_id)
    ledger.credit(connection, user_id, currency, request.amount, transaction_id=payment_id)
    return store.move_payment(connection, payment_id, PaymentStatus.SUCCEEDED)


def request_withdrawal(
    connection: Session, *, payment_id: str, user_id: str, currency: str, amount: Decimal
) -> Payment:
    """Set money aside to be paid out: in processing, or waiting for an officer's approval.

    Small and unsuspicious withdrawals need no approval. A denied one is returned as failed, not
    raised, because its record must outlive this transaction; see `require_not_denied`.

    Raises:
        InputError: USER_UNKNOWN, and the codes of amounts and currencies.
        StateError: USER_NOT_ACTIVE.
        MoneyError: PAYMENT_LIMIT_EXCEEDED, MONEY_INSUFFICIENT_FUNDS, MONEY_IDEMPOTENCY_CONFLICT.

    """
    request = _request(
        PaymentKind.WITHDRAWAL,
        payment_id=payment_id,
        user_id=user_id,
        currency=currency,
        amount=amount,
    )
    user = _require_user(connection, user_id)
    store.lock_wallet(connection, user_id, currency, is_opened=False)
    existing = _replayed(connection, request)
    if existing is not None:
        return existing
    limit = _require_limit(connection, request, user)
    check = _open(connection, request, user)
    if check.verdict is Verdict.DENY:
        return _deny(connection, payment_id)
    is_free = check.verdict is Verdict.ALLOW and is_small(request.amount, limit)
    return _set_aside(
        connection,
        request,
        PaymentStatus.PROCESSING if is_free else PaymentStatus.REQUIRES_APPROVAL,
    )


def approve_withdrawal(connection: Session, payment_id: str, officer_id: str) -> Payment:
    """Let a withdrawal go on; by a payments officer who is not its owner.

    Raises:
        InputError: PAYMENT_UNKNOWN, USER_UNKNOWN.
        StateError: USER_NOT_ACTIVE, USER_ROLE_MISSING, PAYMENT_APPROVAL_REFUSED,
            PAYMENT_STATE_REFUSED.

    """
    payment = _lock(connection, payment_id, PaymentKind.WITHDRAWAL)
    _require_user(connection, officer_id)
    if not store.has_role(connection, officer_id, OFFICER_ROLE):
        raise StateError(
            ErrorCode.USER_ROLE_MISSING,
            f'user "{officer_id}" is no payments officer',
            why="Withdrawals are approved by users with the role payments_officer.",
            hint="Have an officer approve it.",
        )
    if officer_id == payment.user_id:
        raise StateError(
            ErrorCode.PAYMENT_APPROVAL_REFUSED,
            f'user "{officer_id}" owns withdrawal "{payment_id}" and cannot approve it',
            why="Four eyes: the officer who approves is never the owner.",
            hint="Have another officer approve it.",
        )
    if payment.approved_by == officer_id:
        return payment
    _require_status(payment, PaymentStatus.PROCESSING, PaymentStatus.REQUIRES_APPROVAL)
    return store.move_payment(
        connection, payment_id, PaymentStatus.PROCESSING, approved_by=officer_id
    )


def complete_withdrawal(connection: Session, payment_id: str) -> Payment:
    """Pay out a withdrawal in processing: the money set aside leaves the house's books.

    Raises:
        InputError: PAYMENT_UNKNOWN.
        StateError: PAYMENT_STATE_REFUSED.

    """
    payment = _lock(connection, payment_id, PaymentKind.WITHDRAWAL)
    if payment.status is PaymentStatus.SUCCEEDED:
        return payment
    _require_status(payment, PaymentStatus.SUCCEEDED, PaymentStatus.PROCESSING)
    ledger.capture(connection, _hold_of(payment), transaction_id=payment_id)
    return store.move_payment(connection, payment_id, PaymentStatus.SUCCEEDED)


def cancel_withdrawal(connection: Session, payment_id: str) -> Payment:
    """Give a withdrawal that still waits for approval back to its owner, who asked for that.

    Raises:
        InputError: PAYMENT_UNKNOWN.
        StateError: PAYMENT_STATE_REFUSED.

    """
    payment = _lock(connection, payment_id, PaymentKind.WITHDRAWAL)
    if payment.status is PaymentStatus.CANCELED:
        return payment
    _require_status(payment, PaymentStatus.CANCELED, PaymentStatus.REQUIRES_APPROVAL)
    ledger.release(connection, _hold_of(payment), transaction_id=payment_id)
    return store.move_payment(connection, payment_id, PaymentStatus.CANCELED)


def fail_withdrawal(connection: Session, payment_id: str, reason: str) -> Payment:
    """Give a withdrawal back that an officer refused or a provider could not pay.

    Raises:
        InputError: PAYMENT_UNKNOWN.
        StateError: PAYMENT_STATE_REFUSED.

    """
    payment = _lock(connection, payment_id, PaymentKind.WITHDRAWAL)
    if payment.status is PaymentStatus.FAILED:
        return payment
    _require_status(
        payment, PaymentStatus.FAILED, PaymentStatus.REQUIRES_APPROVAL, PaymentStatus.PROCESSING
    )
    ledger.release(connection, _hold_of(payment), transaction_id=payment_id)
    return store.move_payment(connection, payment_id, PaymentStatus.FAILED, failure_reason=reason)


def find_payment(connection: Session, payment_id: str) -> Payment:
    """Return a payment as it stands.

    Raises:
        InputError: PAYMENT_UNKNOWN.

    """
    payment = store.read_payment(connection, payment_id)
    if payment is None:
        raise _unknown_payment(payment_id)
    return payment


def require_not_denied(payment: Payment) -> Payment:
    """Return the payment, unless the fraud check denied it; call this after the commit.

    Raises:
        StateError: PAYMENT_FRAUD_SUSPECTED.

    """
    if payment.failure_reason == ErrorCode.PAYMENT_FRAUD_SUSPECTED:
        raise StateError(
            ErrorCode.PAYMENT_FRAUD_SUSPECTED,
            f'{payment.kind} "{payment.id}" was denied by the fraud check',
            why="Its score is critical; which rules gave points is kept in fraud_checks.",
            hint="Have a payments officer look at it; no money was moved.",
        )
    return payment


def _request(
    kind: PaymentKind, *, payment_id: str, user_id: str, currency: str, amount: Decimal
) -> PaymentRequest:
    money = parse_amount(amount, currency)
    return PaymentRequest(
        payment_id=payment_id, user_id=user_id, kind=kind, currency=currency, amount=money.amount
    )


def _require_user(connection: Session, user_id: str) -> PaymentUser:
    user = store.read_user(connection, user_id)
    if user is None:
        raise InputError(
            ErrorCode.USER_UNKNOWN,
            f'user "{user_id}" does not exist',
            why="No user has this id.",
            hint="Correct the id.",
        )
    if user.status != "active":
        raise StateError(
            ErrorCode.USER_NOT_ACTIVE,
            f'user "{user_id}" is {user.status}',
            why="Only active users pay in, withdraw and approve.",
            hint="Have the user activated.",
        )
    return user


def _replayed(connection: Session, request: PaymentRequest) -> Payment | None:
    """Return the payment that this request made before, if it did."""
    before = store.read_payment(connection, request.payment_id)
    if before is None:
        return None
    asked = (request.user_id, request.kind, request.currency, request.amount)
    if (before.user_id, before.kind, before.currency, before.amount) == asked:
        return before
    raise MoneyError(
        ErrorCode.MONEY_IDEMPOTENCY_CONFLICT,
        f'payment "{request.payment_id}" exists with other contents',
        why=f"It is a {before.kind} of {before.amount:f} {before.currency}.",
        hint="Use a new payment id for a new payment.",
    )


def _require_limit(connection: Session, request: PaymentRequest, user: PaymentUser) -> Limit:
    limit = store.read_limit(connection, user.kyc_level, request)
    day_sum = store.read_day_sum(connection, request)
    return require_within_limit(request, limit, day_sum)


def _open(connection: Session, request: PaymentRequest, user: PaymentUser) -> FraudCheck:
    """Write the payment, pending, with its fraud check."""
    store.insert_payment(connection, request)
    check = check_fraud(request, store.read_history(connection, request, user))
    store.insert_fraud_check(connection, request.payment_id, check)
    return check


def _set_aside(connection: Session, request: PaymentRequest, status: PaymentStatus) -> Payment:
    hold = ledger.reserve(
        connection,
        request.user_id,
        request.currency,
        request.amount,
        transaction_id=request.payment_id,
        purpose="withdrawal",
    )
    return store.move_payment(connection, request.payment_id, status, hold_id=hold.hold_id)


def _deny(connection: Session, payment_id: str) -> Payment:
    reason = str(ErrorCode.PAYMENT_FRAUD_SUSPECTED)
    return store.move_payment(connection, payment_id, PaymentStatus.FAILED, failure_reason=reason)


def _lock(connection: Session, payment_id: str, kind: PaymentKind) -> Payment:
    """Lock a payment after its wallet, in the house's order."""
    seen = store.read_payment(connection, payment_id)
    if seen is None or seen.kind is not kind:
        raise _unknown_payment(payment_id, kind)
    store.lock_wallet(connection, seen.user_id, seen.currency, is_opened=False)
    return store.lock_payment(connection, payment_id) or seen


def _require_status(payment: Payment, target: PaymentStatus, *allowed: PaymentStatus) -> None:
    if payment.status not in allowed:
        raise StateError(
            ErrorCode.PAYMENT_STATE_REFUSED,
            f'payment "{payment.id}" cannot go from {payment.status} to {target}',
            why=f"That step begins at {' or '.join(allowed)}.",
            hint="Read the payment's state again.",
        )


def _hold_of(payment: Payment) -> str:
    if payment.hold_id is None:
        raise AssertionError(payment.id)
    return payment.hold_id


def _unknown_payment(payment_id: str, kind: str = "payment") -> InputError:
    return InputError(
        ErrorCode.PAYMENT_UNKNOWN,
        f'{kind} "{payment_id}" does not exist',
        why=f"No {kind} has this id.",
        hint="Correct the id.",
    )
