"""Refunds and disputes: what is asked back of a deposit, each an object of its own.

A claim sets its amount aside when it opens, takes it when it succeeds or is lost, and gives it back
when it fails or is won. One that is over before it is known sets nothing aside, and news that it
was taken meanwhile book both ways (`round_trips`). A refund that the house asks for needs the money
in the wallet; one that the provider tells, and every dispute, is a fact, so what the wallet lacks
is lent and owed. All claims of a deposit together never pass it: the database refuses the one that
would (TW030).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import psycopg

from tradewright import ledger
from tradewright.core.errors import ErrorCode, InputError, MoneyError, StateError
from tradewright.core.money import parse_amount, plain
from tradewright.payments import store
from tradewright.payments.clearing import CLEARING
from tradewright.payments.debts import collect_debts, lend_shortfall
from tradewright.payments.model import Payment, PaymentKind, Provider
from tradewright.payments.officers import require_officer
from tradewright.payments.steps import lock
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.postgres.refusals import translate


class ClaimKind(StrEnum):
    """Who asks the money back: the house or its provider; or the payer's bank."""

    REFUND = "refund"
    DISPUTE = "dispute"


class ClaimStatus(StrEnum):
    """Where a claim stands: the first three are a refund's, the others a dispute's."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    OPENED = "opened"
    LOST = "lost"
    WON = "won"


RANKS: Mapping[ClaimStatus, int] = MappingProxyType(
    {
        ClaimStatus.PENDING: 0,
        ClaimStatus.OPENED: 0,
        ClaimStatus.SUCCEEDED: 1,
        ClaimStatus.LOST: 1,
        ClaimStatus.FAILED: 2,
        ClaimStatus.WON: 2,
    }
)
"""How far each state is: open, taken, given back. News lead on, never back."""

OPEN: Mapping[ClaimKind, ClaimStatus] = MappingProxyType(
    {ClaimKind.REFUND: ClaimStatus.PENDING, ClaimKind.DISPUTE: ClaimStatus.OPENED}
)

REFUNDING = frozenset({Provider.CARDS})
"""Providers that give money back; who paid through others is paid by a withdrawal."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A refund or dispute as it is stored; `reference` is the provider's name for it.

    It has no hold when it was over before the house heard of it.
    """

    id: str
    kind: ClaimKind
    payment_id: str
    amount: Decimal
    reference: str | None
    reason: str
    status: ClaimStatus
    hold_id: str | None
    created_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ListedClaim:
    """A refund or dispute, with whose deposit it takes from and in which currency."""

    id: str
    kind: str
    payment_id: str
    user_id: str
    currency: str
    amount: Decimal
    reason: str
    status: str
    created_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimOrder:
    """A claim that is to be opened."""

    claim_id: str
    kind: ClaimKind
    amount: Decimal
    reason: str
    reference: str | None = None


def request_refund(
    connection: Session, order: ClaimOrder, *, payment_id: str, officer_id: str
) -> Claim:
    """Set a refund's money aside; the provider is asked after the commit. Again is harmless.

    Raises:
        InputError: PAYMENT_UNKNOWN, USER_UNKNOWN, and the codes of amounts.
        StateError: USER_ROLE_MISSING, USER_NOT_ACTIVE, PAYMENT_APPROVAL_REFUSED,
            PAYMENT_REFUND_REFUSED.
        MoneyError: PAYMENT_CLAIM_EXCEEDED, MONEY_INSUFFICIENT_FUNDS, MONEY_IDEMPOTENCY_CONFLICT.

    """
    payment = lock(connection, payment_id, PaymentKind.DEPOSIT)
    require_officer(connection, payment, officer_id)
    _require_refunding(payment)
    parse_amount(order.amount, payment.currency)
    before = read_claim(connection, order.claim_id)
    if before is None:
        return open_claim(connection, payment, order, lends=False)
    asked = (ClaimKind.REFUND, payment_id, order.amount)
    if (before.kind, before.payment_id, before.amount) == asked:
        return before
    raise MoneyError(
        ErrorCode.MONEY_IDEMPOTENCY_CONFLICT,
        f'claim "{order.claim_id}" exists with other contents',
        why=f'It is a {before.kind} of {plain(before.amount)} of payment "{before.payment_id}".',
        hint="Use a new claim id for a new refund.",
    )


def fail_refund(connection: Session, claim: Claim) -> None:
    """Give a refund's money back that its provider will not make; one that has ended stays."""
    payment = lock(connection, claim.payment_id)
    known = find_claim(connection, claim.id)
    if known.status is ClaimStatus.PENDING:
        move_claim(connection, payment, known, ClaimStatus.FAILED, reference=None)


def open_claim(connection: Session, payment: Payment, order: ClaimOrder, *, lends: bool) -> Claim:
    """Open a claim on a locked deposit and hold its amount; what lacks is lent when `lends`.

    Raises:
        MoneyError: PAYMENT_CLAIM_EXCEEDED, MONEY_INSUFFICIENT_FUNDS.

    """
    if lends:
        lend_shortfall(connection, payment, order.amount)
    hold = ledger.reserve(
        connection,
        payment.user_id,
        payment.currency,
        order.amount,
        transaction_id=order.claim_id,
        purpose=order.kind,
    )
    return _insert(connection, payment, order, OPEN[order.kind], hold.hold_id)


def note_ended_claim(
    connection: Session, payment: Payment, order: ClaimOrder, status: ClaimStatus
) -> Claim:
    """Note a claim on a locked deposit that failed or was won before the house heard of it.

    Raises:
        MoneyError: PAYMENT_CLAIM_EXCEEDED when it is more than the deposit.

    """
    return _insert(connection, payment, order, status, None)


def move_claim(
    connection: Session,
    payment: Payment,
    claim: Claim,
    status: ClaimStatus,
    *,
    reference: str | None,
) -> Claim:
    """Take a claim on a locked deposit to its next state, with its money.

    `reference` is the provider's name for it, noted when none is known yet.

    Raises:
        StateError: PAYMENT_STATE_REFUSED.

    """
    row = _write(connection, "move_claim", id=claim.id, status=status, reference=reference)
    if claim.hold_id is None:
        raise AssertionError(claim.id)
    if RANKS[status] == 1:
        ledger.capture(
            connection, claim.hold_id, transaction_id=claim.id, house=CLEARING[payment.provider]
        )
    elif RANKS[claim.status] == 1:
        ledger.reverse(connection, (claim.id, "capture"), transaction_id=claim.id)
    else:
        ledger.release(connection, claim.hold_id, transaction_id=claim.id)
    collect_debts(connection, payment.user_id, payment.currency)
    return _claim(row)


def read_claim(connection: Session, claim_id: str) -> Claim | None:
    """Return a claim as it stands."""
    row = store.one(connection, "claim", id=claim_id)
    return None if row is None else _claim(row)


def find_claim(connection: Session, claim_id: str) -> Claim:
    """Return a claim as it stands.

    Raises:
        InputError: PAYMENT_CLAIM_UNKNOWN.

    """
    claim = read_claim(connection, claim_id)
    if claim is None:
        raise unknown_claim(claim_id)
    return claim


def unknown_claim(claim_id: str) -> InputError:
    """Return what is told of a claim that does not exist, or is to seem so."""
    return InputError(
        ErrorCode.PAYMENT_CLAIM_UNKNOWN,
        f'claim "{claim_id}" does not exist',
        why="No refund or dispute has this id.",
        hint="Correct the id.",
    )


def read_claims(connection: Session, payment_id: str) -> list[Claim]:
    """Return the refunds and disputes of a deposit, oldest first."""
    rows = connection.execute(
        load_queries("tradewright.payments")["claims_of"], {"payment_id": payment_id}
    )
    return [_claim(row) for row in rows]


def list_claims(  # noqa: PLR0913 (one for each that may be asked for)
    connection: Session,
    *,
    user_id: str | None = None,
    payment_id: str | None = None,
    claim_id: str | None = None,
    kind: str | None = None,
    with_ended: bool = True,
    before: str | None = None,
    count_max: int,
) -> list[ListedClaim]:
    """List refunds and disputes, the newest first, those `before` another."""
    asked = {
        "user_id": user_id,
        "payment_id": payment_id,
        "id": claim_id,
        "kind": kind,
        "with_ended": with_ended,
        "before": before,
        "count_max": count_max,
    }
    rows = connection.execute(load_queries("tradewright.payments")["list_claims"], asked)
    return [ListedClaim(*row) for row in rows]


def next_refund_due(connection: Session, provider: str, due: store.Due) -> tuple[Claim, str] | None:
    """Return the next refund that a provider was not asked for yet, and its payment's name."""
    query = load_queries("tradewright.payments")["next_refund_due"]
    row = connection.execute(query, due.of(provider)).fetchone()
    return None if row is None else (_claim(row[:-1]), row[-1])


def _require_refunding(payment: Payment) -> None:
    if payment.provider not in REFUNDING:
        raise StateError(
            ErrorCode.PAYMENT_REFUND_REFUSED,
            f'payment "{payment.id}" cannot be refunded',
            why=f"Nobody gives money back through {payment.provider}.",
            hint="Let the user withdraw it.",
        )


def _insert(
    connection: Session,
    payment: Payment,
    order: ClaimOrder,
    status: ClaimStatus,
    hold_id: str | None,
) -> Claim:
    row = _write(
        connection,
        "insert_claim",
        id=order.claim_id,
        kind=order.kind,
        payment_id=payment.id,
        amount=order.amount,
        reference=order.reference,
        reason=order.reason,
        status=status,
        hold_id=hold_id,
    )
    return _claim(row)


def _write(connection: Session, query: str, **parameters: object) -> tuple[Any, ...]:
    try:
        row = store.one(connection, query, **parameters)
    except psycopg.Error as error:
        raise translate(error) from error
    if row is None:
        raise AssertionError(query)
    return row


def _claim(row: tuple[Any, ...]) -> Claim:
    return Claim(
        id=row[0],
        kind=ClaimKind(row[1]),
        payment_id=row[2],
        amount=row[3],
        reference=row[4],
        reason=row[5],
        status=ClaimStatus(row[6]),
        hold_id=row[7],
        created_at=row[8],
        completed_at=row[9],
    )
