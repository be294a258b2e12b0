"""Hand what is due to providers: after the commit that recorded it, never in it.

The record comes first, the provider is asked next, and that it was asked is noted last. A crash in
between asks it again under the same id, which changes nothing there. Each is read when its turn
comes, so nothing is paid out to who has come to owe meanwhile. What cannot be handed over keeps
nothing behind it, however much that is: a refund that the provider will never make fails, and its
money is given back; everything else stays due, and the first error is raised once all have been
tried.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

from tradewright.core.errors import ErrorCode, StateError, TradewrightError
from tradewright.payments import store
from tradewright.payments.claims import Claim, fail_refund, next_refund_due
from tradewright.payments.model import Payment
from tradewright.payments.providers import PaymentProvider
from tradewright.payments.send_backs import SuspenseReturn, fail_send_back, next_send_back_due
from tradewright.postgres.connect import Session

Item = TypeVar("Item")


def submit_due(connection: Session, provider: PaymentProvider) -> int:
    """Ask a provider for everything it was not asked for yet; return how much that was.

    `connection` is in autocommit: no transaction is open while the provider is asked. What is
    recorded after the beginning is left to the next time.

    Raises:
        TradewrightError: the first that could not be handed over; all others were.

    """
    hand, refund = partial(_hand, connection, provider), partial(_refund, connection, provider)
    send_back = partial(_send_back, connection, provider)
    results = [
        *_try_each(hand, _payments_due(connection, provider)),
        *_try_each(refund, _refunds_due(connection, provider)),
        *_try_each(send_back, _send_backs_due(connection, provider)),
    ]
    errors = [result for result in results if result is not None]
    if errors:
        raise errors[0]
    return len(results)


def _hand(connection: Session, provider: PaymentProvider, payment: Payment) -> None:
    provider.submit(payment)
    store.write_one(connection, "mark_submitted", payment_id=payment.id)


def _refund(connection: Session, provider: PaymentProvider, item: tuple[Claim, str]) -> None:
    claim, reference = item
    try:
        provider.refund(claim, reference)
    except StateError as refusal:
        if refusal.code is not ErrorCode.PAYMENT_REFUND_REFUSED:
            raise
        with connection.transaction():
            fail_refund(connection, claim)
    else:
        store.write_one(connection, "mark_refund_submitted", id=claim.id)


def _send_back(connection: Session, provider: PaymentProvider, order: SuspenseReturn) -> None:
    try:
        provider.send_back(order)
    except StateError as refusal:
        if refusal.code is not ErrorCode.PAYMENT_REFUND_REFUSED:
            raise
        with connection.transaction():
            fail_send_back(connection, order)
    else:
        store.write_one(connection, "mark_send_back_submitted", id=order.id)


def _payments_due(connection: Session, provider: PaymentProvider) -> Iterator[Payment]:
    due = store.all_due(connection)
    while (payment := store.next_payment_due(connection, provider.code, due)) is not None:
        yield payment
        due = due.behind(payment.created_at, payment.id)


def _refunds_due(connection: Session, provider: PaymentProvider) -> Iterator[tuple[Claim, str]]:
    due = store.all_due(connection)
    while (item := next_refund_due(connection, provider.code, due)) is not None:
        yield item
        due = due.behind(item[0].created_at, item[0].id)


def _send_backs_due(connection: Session, provider: PaymentProvider) -> Iterator[SuspenseReturn]:
    due = store.all_due(connection)
    while (order := next_send_back_due(connection, provider.code, due)) is not None:
        yield order
        due = due.behind(order.created_at, order.id)


def _try_each(
    work: Callable[[Item], None], items: Iterator[Item]
) -> Iterator[TradewrightError | None]:
    """Yield None for each that was handed over, and for each other its error."""
    for item in items:
        try:
            work(item)
        except TradewrightError as error:
            yield error
        else:
            yield None
