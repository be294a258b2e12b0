"""Hand payments and refunds to their providers: after the commit that recorded them, never in it.

The record comes first, the provider is asked next, and that it was asked is noted last. A crash in
between asks it again under the same id, which changes nothing there. What cannot be handed over
keeps nothing behind it: a refund that the provider will never make fails, and its money is given
back; everything else stays due, and the first error is raised once all have been tried.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from tradewright.core.errors import ErrorCode, StateError, TradewrightError
from tradewright.payments import store
from tradewright.payments.claims import Claim, fail_refund, read_unsubmitted_refunds
from tradewright.payments.model import Payment
from tradewright.payments.providers import PaymentProvider
from tradewright.postgres.connect import Session

Due = TypeVar("Due")


def submit_due(connection: Session, provider: PaymentProvider, *, count_max: int = 100) -> int:
    """Ask a provider for everything it was not asked for yet; return how much that was.

    `connection` is in autocommit: no transaction is open while the provider is asked.

    Raises:
        TradewrightError: the first that could not be handed over; all others were.

    """

    def hand(payment: Payment) -> None:
        provider.submit(payment)
        store.write_one(connection, "mark_submitted", payment_id=payment.id)

    def refund(due: tuple[Claim, str]) -> None:
        claim, reference = due
        try:
            provider.refund(claim, reference)
        except StateError as refusal:
            if refusal.code is not ErrorCode.PAYMENT_REFUND_REFUSED:
                raise
            with connection.transaction():
                fail_refund(connection, claim)
        else:
            store.write_one(connection, "mark_refund_submitted", id=claim.id)

    payments = store.read_unsubmitted(connection, provider.code, count_max)
    refunds = read_unsubmitted_refunds(connection, provider.code, count_max)
    errors = [*_try_each(hand, payments), *_try_each(refund, refunds)]
    if errors:
        raise errors[0]
    return len(payments) + len(refunds)


def _try_each(work: Callable[[Due], None], due: Iterable[Due]) -> list[TradewrightError]:
    errors = []
    for each in due:
        try:
            work(each)
        except TradewrightError as error:
            errors.append(error)
    return errors
