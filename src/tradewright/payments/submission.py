"""Hand payments and refunds to their providers: after the commit that recorded them, never in it.

The record comes first, the provider is asked next, and that it was asked is noted last. A crash in
between asks it again under the same id, which changes nothing there.
"""

from tradewright.payments import store
from tradewright.payments.claims import read_unsubmitted_refunds
from tradewright.payments.providers import PaymentProvider
from tradewright.postgres.connect import Session


def submit_due(connection: Session, provider: PaymentProvider, *, count_max: int = 100) -> int:
    """Ask a provider for everything it was not asked for yet; return how much that was.

    `connection` is in autocommit: no transaction is open while the provider is asked.

    Raises:
        TradewrightError: what the provider refused; what came before it is noted.

    """
    payments = store.read_unsubmitted(connection, provider.code, count_max)
    for payment in payments:
        provider.submit(payment)
        store.write_one(connection, "mark_submitted", payment_id=payment.id)
    refunds = read_unsubmitted_refunds(connection, provider.code, count_max)
    for claim, reference in refunds:
        provider.refund(claim, reference)
        store.write_one(connection, "mark_refund_submitted", id=claim.id)
    return len(payments) + len(refunds)
