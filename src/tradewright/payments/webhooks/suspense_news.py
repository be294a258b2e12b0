"""What a provider's news do to money in suspense: it was sent back, was taken, or has come again.

The order of the news does not matter, as with payments (`apply`). Whoever takes the money first has
it: a dispute of a deposit that is being sent back waits until that has failed, and what a dispute
has taken is not sent back any more.
"""

from typing import assert_never

from tradewright.core.money import plain
from tradewright.payments import steps
from tradewright.payments.claims import RANKS, ClaimKind
from tradewright.payments.model import PaymentKind, PaymentStatus, Provider
from tradewright.payments.providers.event import ClaimNews, ProviderEvent
from tradewright.payments.send_backs import (
    NewReturn,
    ReturnKind,
    ReturnStatus,
    SuspenseReturn,
    apply_news,
    insert_return,
    read_return,
)
from tradewright.payments.suspense import HELD, SuspenseItem
from tradewright.payments.webhooks.outcome import Outcome, OutcomeKind
from tradewright.postgres.connect import Session

_TOLD = (ReturnStatus.PENDING, ReturnStatus.SUCCEEDED, ReturnStatus.FAILED)
"""What a claim's rank says of a return."""


def apply_claim_to_suspense(
    connection: Session, item: SuspenseItem, event: ProviderEvent, news: ClaimNews
) -> Outcome:
    """Take news of a refund or dispute of a deposit, which is locked, that is in suspense."""
    known = read_return(connection, news.id_of(item.provider))
    kind, status = _kind_of(news.kind), _TOLD[RANKS[news.status]]
    objection = _objection(item, event, known, kind)
    if objection:
        return Outcome(OutcomeKind.CONFLICTED, objection, item.payment_id)
    if known is not None:
        is_news = apply_news(connection, known, status, reference=news.reference)
        return _outcome(item, is_news=is_news)
    if status is ReturnStatus.PENDING:
        return _outcome(item, is_news=False)
    if status is ReturnStatus.SUCCEEDED and item.state != HELD:
        return Outcome(OutcomeKind.WAITING, f"what came for it is {item.state}", item.payment_id)
    new = NewReturn(
        return_id=news.id_of(item.provider),
        kind=kind,
        status=status,
        reference=news.reference,
        reason=event.reason or event.event_type,
    )
    insert_return(connection, item, new)
    return _outcome(item, is_news=True)


def apply_to_send_back(
    connection: Session, provider: Provider, event: ProviderEvent, return_id: str
) -> Outcome:
    """Take news of what an officer has sent back, of a provider that calls it a payout."""
    order = read_return(connection, return_id)
    if order is None:
        raise AssertionError(return_id)
    steps.lock(connection, order.payment_id)
    order = read_return(connection, return_id) or order
    told = (provider, PaymentKind.WITHDRAWAL, event.currency, event.amount)
    if told != (order.provider, event.kind, order.currency, order.amount) or (
        order.reference not in (None, event.reference)
    ):
        why = f"it is a return of {plain(order.amount)} {order.currency} through {order.provider}"
        return Outcome(OutcomeKind.CONFLICTED, why, order.payment_id)
    statuses = {
        PaymentStatus.SUCCEEDED: ReturnStatus.SUCCEEDED,
        PaymentStatus.FAILED: ReturnStatus.FAILED,
    }
    status = statuses.get(event.status, ReturnStatus.PENDING)
    is_news = apply_news(connection, order, status, reference=event.reference)
    kind = OutcomeKind.APPLIED if is_news else OutcomeKind.IGNORED
    return Outcome(kind, "" if is_news else f"it was {order.status} already", order.payment_id)


def _objection(
    item: SuspenseItem, event: ProviderEvent, known: SuspenseReturn | None, kind: ReturnKind
) -> str:
    """Return why the news cannot be about this money, or an empty text."""
    if (event.currency, event.amount) != (item.currency, item.amount):
        return f"{plain(item.amount)} {item.currency} are in suspense"
    expected = (item.id, kind if kind is ReturnKind.DISPUTE else ReturnKind.SEND_BACK)
    if known is None or (known.item_id, known.kind) in (expected, (item.id, kind)):
        return ""
    return f'it is a {known.kind} of "{known.item_id}" in suspense'


def _kind_of(claim: ClaimKind) -> ReturnKind:
    match claim:
        case ClaimKind.REFUND:
            return ReturnKind.REFUND
        case ClaimKind.DISPUTE:
            return ReturnKind.DISPUTE
        case _:
            assert_never(claim)


def _outcome(item: SuspenseItem, *, is_news: bool) -> Outcome:
    if is_news:
        return Outcome(OutcomeKind.APPLIED, "", item.payment_id)
    return Outcome(OutcomeKind.IGNORED, "it tells nothing new", item.payment_id)
