"""The demo's card members: their money goes through the simulated card scheme, over HTTP.

Every fifth trader pays by card. The scheme's messages come twice and in any order, and at the end
of the day its statement is compared with the house's payments and ledger. The scheme lives in this
process: after a crash it has forgotten what it had told, and is asked again.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from tradewright.core.clock import utc_now
from tradewright.payments import Payment, PaymentStatus, Provider, find_payment
from tradewright.payments.providers.cards import CardSimulator
from tradewright.payments.providers.sender import WebhookSender
from tradewright.payments.reconciliation.service import import_statement, reconcile
from tradewright.postgres.connect import Session
from tradewright.wiring import House, simulated_cards

CARD_EVERY = 5

_OPEN = (PaymentStatus.PENDING, PaymentStatus.PROCESSING)


@dataclass(frozen=True, slots=True)
class CardDesk:
    """The card scheme as the demo's members meet it."""

    cards: CardSimulator
    sender: WebhookSender

    @classmethod
    @contextmanager
    def opened(cls, house: House, seed: int) -> Iterator["CardDesk"]:
        """Give a desk whose messages this house takes, until the day is over."""
        with simulated_cards(house, seed) as (cards, sender):
            yield cls(cards, sender)

    def carry(self, session: Session, payment: Payment) -> Payment:
        """Have a payment by card collected or paid out, and return it as the messages left it."""
        if payment.provider is not Provider.CARDS or payment.status not in _OPEN:
            return payment
        self.cards.submit(payment)
        self.sender.deliver()
        with session.transaction():
            return find_payment(session, payment.id)

    def reconciled(self, session: Session) -> Mapping[str, int]:
        """Compare the scheme's statement with our books; return the movements by bucket."""
        today = utc_now().date()
        days = (today - timedelta(days=1), today)
        with session.transaction():
            for day in days:
                import_statement(session, Provider.CARDS, self.cards.statement(day))
            counts = reconcile(session, Provider.CARDS, since=days[0])
        return {str(bucket): count for bucket, count in counts.items() if count}


def provider_of(number: int) -> Provider:
    """Return through whom trader number `number` pays."""
    return Provider.DIRECT if number % CARD_EVERY else Provider.CARDS
