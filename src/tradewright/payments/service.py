"""How payments begin: checked, written, and their money credited, set aside or asked for.

Everything runs in the caller's transaction under the wallet's lock: limits are counted, states are
read and money is moved under it, so two requests that pass a limit only together never both pass.
The same request again is answered with the payment that it made. What comes after is in `steps`.
"""

from dataclasses import replace
from decimal import Decimal

from tradewright import ledger
from tradewright.core.errors import ErrorCode, InputError, MoneyError, StateError
from tradewright.core.money import parse_amount, plain
from tradewright.payments import store
from tradewright.payments.debts import require_no_debts
from tradewright.payments.limits import passed_limit, require_limit
from tradewright.payments.model import (
    CHAINS,
    Counted,
    Finding,
    FraudCheck,
    Payment,
    PaymentKind,
    PaymentRequest,
    PaymentStatus,
    PaymentUser,
    Provider,
    Verdict,
)
from tradewright.payments.rules import (
    ARRIVED_POINTS,
    check_fraud,
    is_small,
    with_finding,
)
from tradewright.payments.steps import credit_deposit, unknown_payment
from tradewright.payments.users import find_user, require_active
from tradewright.postgres.connect import Session


def deposit(
    connection: Session, *, payment_id: str, user_id: str, currency: str, amount: Decimal
) -> Payment:
    """Take money in directly; see `start_payment`."""
    return start_payment(
        connection,
        PaymentRequest(
            payment_id=payment_id,
            user_id=user_id,
            kind=PaymentKind.DEPOSIT,
            currency=currency,
            amount=amount,
        ),
    )


def request_withdrawal(
    connection: Session, *, payment_id: str, user_id: str, currency: str, amount: Decimal
) -> Payment:
    """Set money aside to be paid out directly; see `start_payment`."""
    return start_payment(
        connection,
        PaymentRequest(
            payment_id=payment_id,
            user_id=user_id,
            kind=PaymentKind.WITHDRAWAL,
            currency=currency,
            amount=amount,
        ),
    )


def start_payment(connection: Session, request: PaymentRequest) -> Payment:
    """Begin a payment; see `begin_payment`."""
    payment, _ = begin_payment(connection, request)
    return payment


def begin_payment(connection: Session, request: PaymentRequest) -> tuple[Payment, bool]:
    """Begin a payment; return it, and whether it had begun before.

    A direct deposit is credited at once, or waits for an officer when the fraud check asks for
    one; a deposit through a provider is pending until the provider's news. A withdrawal's money is
    set aside: in processing when it is small and unsuspicious, else waiting for an officer. A
    denied payment is returned as failed, not raised, because its record must outlive this
    transaction; call `require_not_denied` after the commit. The same request again is answered
    with its payment, even when its user may begin none any more.

    Raises:
        InputError: USER_UNKNOWN, PAYMENT_ROUTE_MISSING, and the codes of amounts and currencies.
        StateError: USER_NOT_ACTIVE, PAYMENT_DEBT_OPEN, EXCHANGE_RATE_MISSING, EXCHANGE_RATE_STALE.
        MoneyError: PAYMENT_LIMIT_EXCEEDED, MONEY_INSUFFICIENT_FUNDS, MONEY_IDEMPOTENCY_CONFLICT,
            MONEY_WALLET_CLOSED.

    """
    request = replace(request, amount=parse_amount(request.amount, request.currency).amount)
    is_deposit = request.kind is PaymentKind.DEPOSIT
    _require_route(request)
    user = find_user(connection, request.user_id)
    store.lock_wallet(connection, request.user_id, request.currency, is_opened=is_deposit)
    existing = _replayed(connection, request)
    if existing is not None:
        return existing, True
    require_active(request.user_id, user)
    _require_wallet_open(connection, request)
    if not is_deposit:
        require_no_debts(connection, request.user_id)
    limit, counted = require_limit(connection, request, user)
    check = _open(connection, request, user, counted)
    if check.verdict is Verdict.DENY:
        return _deny(connection, request.payment_id), False
    if is_deposit:
        return _collect(connection, request, check.verdict), False
    is_free = check.verdict is Verdict.ALLOW and is_small(counted, limit)
    status = PaymentStatus.PROCESSING if is_free else PaymentStatus.REQUIRES_APPROVAL
    return _set_aside(connection, request, status), False


def book_arrival(connection: Session, request: PaymentRequest) -> Payment:
    """Write a deposit that arrives unasked, such as coins at a user's address, pending.

    It cannot be refused, since the money is there: what would have refused it (the limit, a user
    who is not active, a wallet that is closed) makes the fraud check ask for an officer instead.
    """
    store.lock_wallet(connection, request.user_id, request.currency, is_opened=True)
    user = find_user(connection, request.user_id)
    concerns: dict[str, str] = {}
    if user.status != "active":
        concerns["user_not_active"] = user.status
    if store.is_wallet_closed(connection, request.user_id, request.currency):
        concerns["wallet_closed"] = "a closed wallet is empty for ever"
    passed = passed_limit(connection, request, user)
    if passed.why:
        concerns["limit_exceeded"] = passed.why
    store.insert_payment(connection, request, passed.counted)
    check = check_fraud(request, store.read_history(connection, request, user))
    for name, why in concerns.items():
        check = with_finding(check, name, Finding(ARRIVED_POINTS, {"why": why}))
    store.insert_fraud_check(connection, request.payment_id, check)
    return find_payment(connection, request.payment_id)


def find_payment(connection: Session, payment_id: str) -> Payment:
    """Return a payment as it stands.

    Raises:
        InputError: PAYMENT_UNKNOWN.

    """
    payment = store.read_payment(connection, payment_id)
    if payment is None:
        raise unknown_payment(payment_id)
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


def _require_wallet_open(connection: Session, request: PaymentRequest) -> None:
    """Refuse a payment of a wallet, which is locked, that is closed: its money could not arrive."""
    if store.is_wallet_closed(connection, request.user_id, request.currency):
        raise MoneyError(
            ErrorCode.MONEY_WALLET_CLOSED,
            f'the {request.currency} wallet of user "{request.user_id}" is closed',
            why="A closed wallet is empty for ever.",
            hint="Use another currency or another user.",
        )


def _require_route(request: PaymentRequest) -> None:
    """Refuse what no provider could carry: coins to nowhere or asked for, money over a chain."""
    if request.provider is not Provider.CHAIN or (
        request.kind is PaymentKind.WITHDRAWAL
        and request.destination
        and request.currency in CHAINS
    ):
        return
    raise InputError(
        ErrorCode.PAYMENT_ROUTE_MISSING,
        f"a {request.kind} of {request.currency} has no way to go",
        why=f"Coins ({', '.join(CHAINS)}) are withdrawn to an address, and arrive without being "
        "asked for; nothing else goes over a chain.",
        hint="Give the address to withdraw to; to deposit, show the user an address of theirs.",
    )


def _replayed(connection: Session, request: PaymentRequest) -> Payment | None:
    """Return the payment that this request made before, if it did."""
    before = store.read_payment(connection, request.payment_id)
    if before is None:
        return None
    if _contents(request) == _contents(before):
        return before
    known = (
        f"It is a {before.kind} of {plain(before.amount)} {before.currency} through "
        f"{before.provider}; its destination is compared too."
    )
    raise MoneyError(
        ErrorCode.MONEY_IDEMPOTENCY_CONFLICT,
        f'payment "{request.payment_id}" exists with other contents',
        why=known if before.user_id == request.user_id else "It is not this user's.",
        hint="Use a new payment id for a new payment.",
    )


def _contents(payment: PaymentRequest | Payment) -> tuple[object, ...]:
    """Return what one payment id stands for: whose, what, through whom and to where."""
    return (
        payment.user_id,
        payment.kind,
        payment.currency,
        payment.amount,
        payment.provider,
        payment.destination,
    )


def _open(
    connection: Session, request: PaymentRequest, user: PaymentUser, counted: Counted
) -> FraudCheck:
    """Write the payment, pending, with its fraud check."""
    store.insert_payment(connection, request, counted)
    check = check_fraud(request, store.read_history(connection, request, user))
    store.insert_fraud_check(connection, request.payment_id, check)
    return check


def _collect(connection: Session, request: PaymentRequest, verdict: Verdict) -> Payment:
    payment = find_payment(connection, request.payment_id)
    if request.provider is not Provider.DIRECT:
        return payment
    if verdict is Verdict.REVIEW:
        return store.move_payment(connection, payment.id, PaymentStatus.REQUIRES_APPROVAL)
    return credit_deposit(connection, payment)


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
