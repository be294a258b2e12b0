"""What a provider's news do to a payment: the same end state in whatever order they come.

States are ranked (`rules.RANKS`, `claims.RANKS`): news that lead on are applied, others are
ignored, so duplicates and late arrivals change nothing. News that build on something that has not
come yet wait, and so do claims that do not fit until another is given up. News that contradict our
books move no money and call for an officer.
"""

from typing import assert_never
from uuid import NAMESPACE_OID, uuid5

from tradewright.core.errors import ErrorCode, MoneyError
from tradewright.core.money import plain
from tradewright.payments import steps, store
from tradewright.payments.claims import (
    RANKS,
    Claim,
    ClaimOrder,
    move_claim,
    note_ended_claim,
    open_claim,
    read_claim,
)
from tradewright.payments.model import (
    Payment,
    PaymentKind,
    PaymentRequest,
    PaymentStatus,
    Provider,
    Verdict,
)
from tradewright.payments.providers.event import ClaimNews, ProviderEvent
from tradewright.payments.round_trips import book_round_trip
from tradewright.payments.rules import is_news
from tradewright.payments.send_backs import read_return
from tradewright.payments.service import book_arrival
from tradewright.payments.suspense import item_of
from tradewright.payments.webhooks.outcome import Outcome, OutcomeKind
from tradewright.payments.webhooks.suspense_news import (
    apply_claim_to_suspense,
    apply_to_send_back,
)
from tradewright.postgres.connect import Session

IN_FLIGHT = (PaymentStatus.PROCESSING, PaymentStatus.CONFLICTED)
"""States of a withdrawal that its provider ends."""


def apply_event(connection: Session, provider: Provider, event: ProviderEvent) -> Outcome:
    """Apply one piece of news to its payment, under the payment's lock."""
    order = None if event.payment_id is None else read_return(connection, event.payment_id)
    if order is not None:
        return apply_to_send_back(connection, provider, event, order.id)
    return _apply_to_payment(connection, provider, event)


def _apply_to_payment(connection: Session, provider: Provider, event: ProviderEvent) -> Outcome:
    payment = _payment_of(connection, provider, event)
    if payment is None:
        return Outcome(OutcomeKind.WAITING, "no payment of ours is known under this name")
    objection = _objection(payment, provider, event)
    if objection:
        return _conflict(payment, objection)
    if payment.reference is None:
        store.write_one(
            connection, "set_reference", payment_id=payment.id, reference=event.reference
        )
    if event.claim is not None:
        return _apply_claim_to_what_is_there(connection, payment, event, event.claim)
    if (event.currency, event.amount) != (payment.currency, payment.amount):
        return _mismatch(connection, payment, event)
    if payment.kind is PaymentKind.DEPOSIT:
        return _apply_to_deposit(connection, payment, event)
    return _apply_to_withdrawal(connection, payment, event)


def _objection(payment: Payment, provider: Provider, event: ProviderEvent) -> str:
    """Return why the news cannot be about this payment, or an empty text."""
    if payment.provider is not provider or payment.kind is not event.kind:
        return f"it is a {payment.kind} through {payment.provider}"
    if payment.reference not in (None, event.reference):
        return f'the provider knew it as "{payment.reference}"'
    return ""


def _payment_of(connection: Session, provider: Provider, event: ProviderEvent) -> Payment | None:
    """Lock the payment that is meant; coins at a user's address make a new one."""
    found = event.payment_id or store.find_by_reference(connection, provider, event.reference)
    if found is not None:
        seen = store.read_payment(connection, found)
        return None if seen is None else steps.lock(connection, found)
    owner = event.address and store.one(
        connection, "address_owner", provider=provider, address=event.address
    )
    if not owner or owner[1] != event.currency or event.amount == 0:
        return None
    arrival = PaymentRequest(
        payment_id=str(uuid5(NAMESPACE_OID, f"{provider}/{event.reference}")),
        user_id=owner[0],
        kind=PaymentKind.DEPOSIT,
        currency=event.currency,
        amount=event.amount,
        provider=provider,
        reference=event.reference,
    )
    return book_arrival(connection, arrival)


def _apply_to_deposit(connection: Session, payment: Payment, event: ProviderEvent) -> Outcome:
    told, why = event.status, steps.PROVIDER_REASON + (event.reason or event.status)
    is_settled = told is PaymentStatus.SUCCEEDED and steps.is_refused(payment)
    if is_settled or not is_news(payment.kind, told=told, known=payment.status):
        return _ignored(payment)
    match told:
        case PaymentStatus.PROCESSING:
            store.move_payment(connection, payment.id, told)
        case PaymentStatus.FAILED | PaymentStatus.CANCELED:
            if steps.is_ended_by_us(payment):
                return _ignored(payment)
            store.move_payment(connection, payment.id, told, failure_reason=why)
        case PaymentStatus.UNCONFIRMED:
            if not _passes_alone(connection, payment):
                return _ignored(payment)
            steps.credit_unconfirmed(connection, payment)
        case PaymentStatus.SUCCEEDED:
            steps.arrive(connection, payment)
        case PaymentStatus.REVERSED:
            steps.reverse_deposit(connection, payment, why)
        case PaymentStatus.PENDING | PaymentStatus.REQUIRES_APPROVAL | PaymentStatus.CONFLICTED:
            return _ignored(payment)
        case _:
            assert_never(told)
    return _applied(payment)


def _apply_to_withdrawal(connection: Session, payment: Payment, event: ProviderEvent) -> Outcome:
    if event.status is PaymentStatus.SUCCEEDED:
        return _apply_payout(connection, payment)
    if event.status is PaymentStatus.FAILED:
        reason = steps.PROVIDER_REASON + (event.reason or event.status)
        if payment.status in IN_FLIGHT:
            steps.fail_withdrawal(connection, payment.id, reason)
            return _applied(payment)
        if payment.status is PaymentStatus.SUCCEEDED:
            steps.return_withdrawal(connection, payment.id, reason)
            return _applied(payment)
    return _ignored(payment)


def _apply_payout(connection: Session, payment: Payment) -> Outcome:
    """Take the news that a withdrawal was paid out; one that came back went out before."""
    if payment.status in IN_FLIGHT:
        steps.complete_withdrawal(connection, payment.id)
        return _applied(payment)
    if _is_returned(payment):
        is_news = book_round_trip(connection, payment, payment.id, payment.amount)
        return _applied(payment) if is_news else _ignored(payment)
    if payment.status is PaymentStatus.SUCCEEDED:
        return _ignored(payment)
    return _conflict(payment, f"it was paid out, and here it is {payment.status}")


def _apply_claim_to_what_is_there(
    connection: Session, payment: Payment, event: ProviderEvent, news: ClaimNews
) -> Outcome:
    """Take a claim from where the deposit's money is: the wallet, or suspense."""
    is_ended = payment.status in (PaymentStatus.FAILED, PaymentStatus.CANCELED)
    item = item_of(connection, payment.id) if is_ended else None
    if item is not None:
        return apply_claim_to_suspense(connection, item, event, news)
    return _apply_claim(connection, payment, event, news)


def _apply_claim(
    connection: Session, payment: Payment, event: ProviderEvent, news: ClaimNews
) -> Outcome:
    claim = read_claim(connection, news.id_of(payment.provider))
    objection = _objection_to_claim(payment, claim, event, news)
    if objection:
        return _conflict(payment, objection)
    if payment.status is not PaymentStatus.SUCCEEDED:
        return Outcome(
            OutcomeKind.WAITING, f"the deposit is {payment.status}, not succeeded", payment.id
        )
    if claim is None:
        return _meet_claim(connection, payment, event, news)
    if RANKS[news.status] > RANKS[claim.status]:
        move_claim(connection, payment, claim, news.status, reference=news.reference)
        return _applied(payment)
    if RANKS[news.status] == 1 and book_round_trip(connection, payment, claim.id, claim.amount):
        return _applied(payment)
    return _ignored(payment)


def _objection_to_claim(
    payment: Payment, claim: Claim | None, event: ProviderEvent, news: ClaimNews
) -> str:
    """Return why the news cannot be about this payment's claim, or an empty text."""
    if payment.kind is not PaymentKind.DEPOSIT or event.currency != payment.currency:
        return f"it is a {payment.kind} in {payment.currency}"
    if event.amount > payment.amount:
        return f"{plain(event.amount)} are claimed of {plain(payment.amount)}"
    told = (payment.id, news.kind, event.amount)
    if claim is not None and (claim.payment_id, claim.kind, claim.amount) != told:
        return f"the {claim.kind} is of {plain(claim.amount)}"
    return ""


def _meet_claim(
    connection: Session, payment: Payment, event: ProviderEvent, news: ClaimNews
) -> Outcome:
    """Take the first news of a claim; one that does not fit waits for another to be given up."""
    order = ClaimOrder(
        claim_id=news.id_of(payment.provider),
        kind=news.kind,
        amount=event.amount,
        reason=event.reason or event.event_type,
        reference=news.reference,
    )
    if RANKS[news.status] > 1:
        note_ended_claim(connection, payment, order, news.status)
        return _applied(payment)
    try:
        with connection.transaction():
            claim = open_claim(connection, payment, order, lends=True)
    except MoneyError as refusal:
        if refusal.code is not ErrorCode.PAYMENT_CLAIM_EXCEEDED:
            raise
        return Outcome(OutcomeKind.WAITING, refusal.what, payment.id)
    if news.status is not claim.status:
        move_claim(connection, payment, claim, news.status, reference=news.reference)
    return _applied(payment)


def _mismatch(connection: Session, payment: Payment, event: ProviderEvent) -> Outcome:
    """Stop a payment whose provider tells another amount, before any money moves."""
    told = PaymentStatus.CONFLICTED
    why = f"the provider tells {plain(event.amount)} {event.currency}"
    can_stop = payment.kind is PaymentKind.DEPOSIT or payment.status is PaymentStatus.PROCESSING
    if can_stop and is_news(payment.kind, told=told, known=payment.status):
        reason = steps.PROVIDER_REASON + why
        store.move_payment(connection, payment.id, told, failure_reason=reason)
    return _conflict(payment, why)


def _passes_alone(connection: Session, payment: Payment) -> bool:
    return (
        not steps.is_ended_by_us(payment) and steps.verdict_on(connection, payment) is Verdict.ALLOW
    )


def _is_returned(payment: Payment) -> bool:
    reason = payment.failure_reason or ""
    return payment.status is PaymentStatus.FAILED and reason.startswith(steps.PROVIDER_REASON)


def _applied(payment: Payment) -> Outcome:
    return Outcome(OutcomeKind.APPLIED, "", payment.id)


def _ignored(payment: Payment) -> Outcome:
    return Outcome(OutcomeKind.IGNORED, f"it was {payment.status} already", payment.id)


def _conflict(payment: Payment, why: str) -> Outcome:
    return Outcome(OutcomeKind.CONFLICTED, why, payment.id)
