"""The steps of a payment that has begun, each with the money that moves with it.

Every step runs in the caller's transaction and first locks the wallet, then the payment. The
ledger's keys are the payment's id, so a repeated step moves nothing. Who may take a step is said
elsewhere: officers in `approvals`, providers in `webhooks`.
"""

from tradewright import ledger
from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.payments import store
from tradewright.payments.clearing import CLEARING
from tradewright.payments.debts import collect_debts, lend_shortfall
from tradewright.payments.limits import count_at_last, passed_limit_again
from tradewright.payments.model import (
    Finding,
    Payment,
    PaymentKind,
    PaymentStatus,
    Provider,
    Verdict,
)
from tradewright.payments.rules import ARRIVED_POINTS, verdict_of, with_finding
from tradewright.payments.send_backs import take_away
from tradewright.payments.users import require_payable
from tradewright.postgres.connect import Session

PROVIDER_REASON = "provider: "
"""How the reason begins when a provider ended the payment, and not the house."""


def lock(connection: Session, payment_id: str, kind: PaymentKind | None = None) -> Payment:
    """Lock a payment after its wallet, in the house's order, and return it.

    Raises:
        InputError: PAYMENT_UNKNOWN, also when it is of another kind.

    """
    seen = store.read_payment(connection, payment_id)
    if seen is None or kind not in (None, seen.kind):
        raise unknown_payment(payment_id, kind or "payment")
    store.lock_wallet(connection, seen.user_id, seen.currency, is_opened=False)
    return store.lock_payment(connection, payment_id) or seen


def credit_deposit(connection: Session, payment: Payment, **given: str | None) -> Payment:
    """Credit a deposit for good: it has succeeded, and what the user owes is paid from it.

    Raises:
        StateError: EXCHANGE_RATE_MISSING, EXCHANGE_RATE_STALE when it came while there was no rate
            and there is none now.

    """
    if payment.status is PaymentStatus.UNCONFIRMED:
        ledger.release(connection, hold_of(payment), transaction_id=payment.id)
    else:
        _credit(connection, payment)
    count_at_last(connection, payment)
    done = store.move_payment(connection, payment.id, PaymentStatus.SUCCEEDED, **given)
    collect_debts(connection, payment.user_id, payment.currency)
    return done


def credit_unconfirmed(connection: Session, payment: Payment, **given: str | None) -> Payment:
    """Credit a deposit and hold it until nobody can take it back any more."""
    _credit(connection, payment)
    hold = ledger.reserve(
        connection,
        payment.user_id,
        payment.currency,
        payment.amount,
        transaction_id=payment.id,
        purpose="unconfirmed",
    )
    return store.move_payment(
        connection, payment.id, PaymentStatus.UNCONFIRMED, hold_id=hold.hold_id, **given
    )


def reverse_deposit(connection: Session, payment: Payment, reason: str) -> Payment:
    """Take a deposit back that turned out not to be: its hold first, then the credit.

    What was spent meanwhile is owed.
    """
    if payment.status is PaymentStatus.UNCONFIRMED:
        ledger.release(connection, hold_of(payment), transaction_id=payment.id)
    if payment.status in (PaymentStatus.UNCONFIRMED, PaymentStatus.SUCCEEDED):
        lend_shortfall(connection, payment, payment.amount)
        ledger.reverse(connection, (payment.id, "credit"), transaction_id=payment.id)
    done = store.move_payment(connection, payment.id, PaymentStatus.REVERSED, failure_reason=reason)
    take_away(connection, payment, reason)
    return done


def arrive(connection: Session, payment: Payment, **given: str | None) -> Payment:
    """Take a deposit that its provider has collected: credited, or before an officer.

    An officer looks at what the fraud check would not let through by itself, and at money that
    came although the house had ended the payment: it is never lost and never credited unseen. What
    the provider had given up has freed its part of the limit, so it is measured again, and by now
    its wallet may be closed.
    """
    if payment.status in (PaymentStatus.FAILED, PaymentStatus.CANCELED):
        _note_concerns(connection, payment)
    if is_ended_by_us(payment) or verdict_on(connection, payment) is not Verdict.ALLOW:
        return store.move_payment(connection, payment.id, PaymentStatus.REQUIRES_APPROVAL, **given)
    return credit_deposit(connection, payment, **given)


def complete_withdrawal(connection: Session, payment_id: str) -> Payment:
    """Pay out a withdrawal in processing: the money set aside leaves the house's books.

    A provider has paid by then; what the house pays by itself waits until the user is active and
    owes nothing.

    Raises:
        InputError: PAYMENT_UNKNOWN.
        StateError: PAYMENT_STATE_REFUSED, USER_NOT_ACTIVE, PAYMENT_DEBT_OPEN.

    """
    payment = lock(connection, payment_id, PaymentKind.WITHDRAWAL)
    if payment.status is PaymentStatus.SUCCEEDED:
        return payment
    require_status(
        payment, PaymentStatus.SUCCEEDED, PaymentStatus.PROCESSING, PaymentStatus.CONFLICTED
    )
    if payment.provider is Provider.DIRECT:
        require_payable(connection, payment.user_id)
    return pay_out(connection, payment)


def pay_out(connection: Session, payment: Payment, **given: str | None) -> Payment:
    """Take what a withdrawal has set aside, because it was paid."""
    ledger.capture(
        connection,
        hold_of(payment),
        transaction_id=payment.id,
        house=CLEARING[payment.provider],
    )
    return store.move_payment(connection, payment.id, PaymentStatus.SUCCEEDED, **given)


def cancel_withdrawal(connection: Session, payment_id: str) -> Payment:
    """Give a withdrawal that still waits for approval back to its owner, who asked for that.

    Raises:
        InputError: PAYMENT_UNKNOWN.
        StateError: PAYMENT_STATE_REFUSED.

    """
    payment = lock(connection, payment_id, PaymentKind.WITHDRAWAL)
    if payment.status is PaymentStatus.CANCELED:
        return payment
    require_status(payment, PaymentStatus.CANCELED, PaymentStatus.REQUIRES_APPROVAL)
    ledger.release(connection, hold_of(payment), transaction_id=payment_id)
    return store.move_payment(connection, payment_id, PaymentStatus.CANCELED)


def cancel_deposit(connection: Session, payment_id: str) -> Payment:
    """Give up a deposit that no provider has collected yet; what still comes is not lost.

    Raises:
        InputError: PAYMENT_UNKNOWN.
        StateError: PAYMENT_STATE_REFUSED.

    """
    payment = lock(connection, payment_id, PaymentKind.DEPOSIT)
    if payment.status is PaymentStatus.CANCELED:
        return payment
    require_status(payment, PaymentStatus.CANCELED, PaymentStatus.PENDING)
    return store.move_payment(connection, payment_id, PaymentStatus.CANCELED)


def fail_withdrawal(connection: Session, payment_id: str, reason: str) -> Payment:
    """Give a withdrawal back that an officer refused or a provider could not pay.

    Raises:
        InputError: PAYMENT_UNKNOWN.
        StateError: PAYMENT_STATE_REFUSED.

    """
    payment = lock(connection, payment_id, PaymentKind.WITHDRAWAL)
    if payment.status is PaymentStatus.FAILED:
        return payment
    require_status(
        payment,
        PaymentStatus.FAILED,
        PaymentStatus.REQUIRES_APPROVAL,
        PaymentStatus.PROCESSING,
        PaymentStatus.CONFLICTED,
    )
    ledger.release(connection, hold_of(payment), transaction_id=payment_id)
    return _fail(connection, payment, reason)


def return_withdrawal(connection: Session, payment_id: str, reason: str) -> Payment:
    """Credit a withdrawal again that was paid out and sent back, linked to the original.

    Raises:
        InputError: PAYMENT_UNKNOWN.
        StateError: PAYMENT_STATE_REFUSED.

    """
    payment = lock(connection, payment_id, PaymentKind.WITHDRAWAL)
    require_status(payment, PaymentStatus.FAILED, PaymentStatus.SUCCEEDED)
    ledger.reverse(connection, (payment_id, "capture"), transaction_id=payment_id)
    return _fail(connection, payment, reason)


def is_ended_by_us(payment: Payment) -> bool:
    """Tell whether the house, and not the provider, has ended the payment without success."""
    ended = payment.status in (PaymentStatus.FAILED, PaymentStatus.CANCELED)
    return ended and not (payment.failure_reason or "").startswith(PROVIDER_REASON)


def is_refused(payment: Payment) -> bool:
    """Tell whether an officer has refused a deposit whose money had come: it stays refused."""
    return is_ended_by_us(payment) and payment.arrived_at is not None


def verdict_on(connection: Session, payment: Payment) -> Verdict:
    """Return what follows from the payment's fraud check."""
    return verdict_of(store.read_level(connection, payment.id))


def require_status(payment: Payment, target: PaymentStatus, *allowed: PaymentStatus) -> None:
    """Refuse a step that does not begin where the payment stands.

    Raises:
        StateError: PAYMENT_STATE_REFUSED.

    """
    if payment.status not in allowed:
        raise StateError(
            ErrorCode.PAYMENT_STATE_REFUSED,
            f'payment "{payment.id}" cannot go from {payment.status} to {target}',
            why=f"That step begins at {' or '.join(allowed)}.",
            hint="Read the payment's state again.",
        )


def hold_of(payment: Payment) -> str:
    """Return the payment's hold, which its state says that it has."""
    if payment.hold_id is None:
        raise AssertionError(payment.id)
    return payment.hold_id


def unknown_payment(payment_id: str, kind: str = "payment") -> InputError:
    """Return the error for a payment that does not exist."""
    return InputError(
        ErrorCode.PAYMENT_UNKNOWN,
        f'{kind} "{payment_id}" does not exist',
        why=f"No {kind} has this id.",
        hint="Correct the id.",
    )


def _note_concerns(connection: Session, payment: Payment) -> None:
    """Have an officer look at a deposit that was lost, comes after all, and is no longer wanted."""
    concerns = {"limit_exceeded": passed_limit_again(connection, payment)}
    if store.is_wallet_closed(connection, payment.user_id, payment.currency):
        concerns["wallet_closed"] = "a closed wallet is empty for ever"
    check = store.read_last_check(connection, payment.id)
    noted = check
    for name, why in concerns.items():
        if why:
            noted = with_finding(noted, name, Finding(ARRIVED_POINTS, {"why": why}))
    if noted != check:
        store.insert_fraud_check(connection, payment.id, noted)


def _credit(connection: Session, payment: Payment) -> None:
    ledger.credit(
        connection,
        payment.user_id,
        payment.currency,
        payment.amount,
        transaction_id=payment.id,
        house=CLEARING[payment.provider],
    )


def _fail(connection: Session, payment: Payment, reason: str) -> Payment:
    failed = store.move_payment(connection, payment.id, PaymentStatus.FAILED, failure_reason=reason)
    collect_debts(connection, payment.user_id, payment.currency)
    return failed
