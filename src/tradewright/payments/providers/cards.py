"""A card scheme and bank: charges, payouts, refunds and disputes, told by webhook.

The simulator collects what it is asked to, unless `declines` says otherwise, and charges the house
for it. Its messages carry the house's own payment id as metadata, and amounts as text.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from tradewright.core.clock import utc_now
from tradewright.core.money import round_to_minor_unit
from tradewright.payments.claims import Claim, ClaimKind, ClaimStatus
from tradewright.payments.model import Payment, PaymentKind, PaymentStatus, Provider
from tradewright.payments.providers.booking import Booking, as_camt053, as_csv
from tradewright.payments.providers.event import (
    ClaimNews,
    ProviderEvent,
    amount_of,
    id_of,
    malformed,
    read_object,
    reason_of,
    text_of,
)
from tradewright.payments.providers.sender import WebhookSender
from tradewright.payments.send_backs import SuspenseReturn

FEE_RATE = Decimal("0.014")
FEE_FIXED = Decimal("0.25")

PAYMENT_EVENTS: Mapping[str, tuple[PaymentKind, PaymentStatus]] = MappingProxyType(
    {
        "charge.created": (PaymentKind.DEPOSIT, PaymentStatus.PENDING),
        "charge.processing": (PaymentKind.DEPOSIT, PaymentStatus.PROCESSING),
        "charge.succeeded": (PaymentKind.DEPOSIT, PaymentStatus.SUCCEEDED),
        "charge.failed": (PaymentKind.DEPOSIT, PaymentStatus.FAILED),
        "charge.canceled": (PaymentKind.DEPOSIT, PaymentStatus.CANCELED),
        "payout.processing": (PaymentKind.WITHDRAWAL, PaymentStatus.PROCESSING),
        "payout.paid": (PaymentKind.WITHDRAWAL, PaymentStatus.SUCCEEDED),
        "payout.failed": (PaymentKind.WITHDRAWAL, PaymentStatus.FAILED),
    }
)
CLAIM_EVENTS: Mapping[str, tuple[ClaimKind, ClaimStatus]] = MappingProxyType(
    {
        "refund.pending": (ClaimKind.REFUND, ClaimStatus.PENDING),
        "refund.succeeded": (ClaimKind.REFUND, ClaimStatus.SUCCEEDED),
        "refund.failed": (ClaimKind.REFUND, ClaimStatus.FAILED),
        "dispute.opened": (ClaimKind.DISPUTE, ClaimStatus.OPENED),
        "dispute.lost": (ClaimKind.DISPUTE, ClaimStatus.LOST),
        "dispute.won": (ClaimKind.DISPUTE, ClaimStatus.WON),
    }
)


def read_event(body: bytes) -> ProviderEvent:
    """Return what a message tells.

    Raises:
        InputError: WEBHOOK_BODY_MALFORMED.

    """
    fields = read_object(body)
    event_type = text_of(fields, "type")
    kind, status, claim = PaymentKind.DEPOSIT, PaymentStatus.SUCCEEDED, None
    if event_type in PAYMENT_EVENTS:
        kind, status = PAYMENT_EVENTS[event_type]
    elif event_type in CLAIM_EVENTS:
        claim = _claim_news(event_type, fields)
    else:
        raise malformed(f'Its type is "{event_type}".')
    return ProviderEvent(
        event_type=event_type,
        kind=kind,
        reference=text_of(fields, "payment"),
        status=status,
        currency=text_of(fields, "currency"),
        amount=amount_of(fields, "amount"),
        payment_id=id_of(fields, "metadata_id"),
        claim=claim,
        reason=reason_of(fields, "reason"),
    )


def _claim_news(event_type: str, fields: Mapping[str, Any]) -> ClaimNews:
    kind, status = CLAIM_EVENTS[event_type]
    return ClaimNews(
        kind=kind,
        reference=text_of(fields, "claim"),
        status=status,
        claim_id=id_of(fields, "claim_metadata_id"),
    )


class CardSimulator:
    """A card scheme and bank; everything that it was asked for is kept in its own memory."""

    code = Provider.CARDS

    def __init__(self, sender: WebhookSender) -> None:
        self._sender = sender
        self._payments: dict[str, Payment] = {}
        self._claims: dict[str, tuple[Payment, Decimal]] = {}
        self._bookings: list[Booking] = []
        self.declines: set[str] = set()

    def submit(self, payment: Payment) -> None:
        """Collect a deposit or pay a withdrawal out; what is in `declines` fails."""
        if self._reference(payment) in self._payments:
            return
        self._payments[self._reference(payment)] = payment
        names = ("charge.created", "charge.processing", "charge.succeeded", "charge.failed")
        if payment.kind is PaymentKind.WITHDRAWAL:
            names = ("payout.processing", "payout.processing", "payout.paid", "payout.failed")
        is_declined = payment.id in self.declines
        for name in (*dict.fromkeys(names[:2]), names[3] if is_declined else names[2]):
            self._tell(payment, name)
        if not is_declined:
            self._book(payment.kind, self._reference(payment), payment.currency, payment.amount)

    def refund(self, claim: Claim, reference: str) -> None:
        """Give a part of a charge back to the card."""
        self._give_back(claim.id, claim.amount, reference)

    def send_back(self, order: SuspenseReturn) -> None:
        """Give a charge back to the card that the house has refused."""
        self._give_back(order.id, order.amount, order.deposit_reference)

    def _give_back(self, claim_id: str, amount: Decimal, reference: str) -> None:
        if claim_id in self._claims:
            return
        payment = self._payments[reference]
        self._claims[claim_id] = (payment, amount)
        fields = {"claim": f"re_{claim_id}", "claim_metadata_id": claim_id}
        is_declined = claim_id in self.declines
        for name in ("refund.pending", "refund.failed" if is_declined else "refund.succeeded"):
            self._tell(payment, name, amount=f"{amount:f}", **fields)
        if not is_declined:
            self._book("refund", f"re_{claim_id}", payment.currency, amount)

    def return_payout(self, payment_id: str) -> None:
        """Send a payout back, as a bank does when the account was closed."""
        payment = next(each for each in self._payments.values() if each.id == payment_id)
        self._tell(payment, "payout.failed", reason="account closed")
        self._book("return", self._reference(payment), payment.currency, payment.amount)

    def dispute(self, payment_id: str, amount: Decimal, claim: str) -> None:
        """Open a dispute for the payer's bank, which calls it `claim`."""
        payment = next(each for each in self._payments.values() if each.id == payment_id)
        self._claims[claim] = (payment, amount)
        self._tell(payment, "dispute.opened", amount=f"{amount:f}", claim=claim, reason="fraud")

    def decide(self, claim: str, *, is_lost: bool) -> None:
        """End a dispute."""
        payment, amount = self._claims[claim]
        name = "dispute.lost" if is_lost else "dispute.won"
        self._tell(payment, name, amount=f"{amount:f}", claim=claim)
        if is_lost:
            self._book("dispute", claim, payment.currency, amount)

    def statement(self, day: date) -> bytes:
        """Return what was booked on a UTC day, as CSV."""
        return as_csv([each for each in self._bookings if each.booked_on == day])

    def bank_statement(self, day: date) -> bytes:
        """Return what was booked on a UTC day, as camt.053."""
        bookings = [each for each in self._bookings if each.booked_on == day]
        return as_camt053(bookings, f"cards-{day.isoformat()}")

    def _tell(self, payment: Payment, name: str, **fields: str) -> None:
        told = {
            "type": name,
            "payment": self._reference(payment),
            "metadata_id": payment.id,
            "currency": payment.currency,
            "amount": f"{payment.amount:f}",
        }
        self._sender.send({**told, **fields})

    def _reference(self, payment: Payment) -> str:
        return f"{'ch' if payment.kind is PaymentKind.DEPOSIT else 'po'}_{payment.id}"

    def _book(self, kind: str, reference: str, currency: str, amount: Decimal) -> None:
        fee = Decimal(0)
        if kind == PaymentKind.DEPOSIT:
            fee = round_to_minor_unit(amount * FEE_RATE + FEE_FIXED, currency)
        self._bookings.append(
            Booking(
                kind=str(kind),
                reference=reference,
                currency=currency,
                amount=amount,
                fee=fee,
                booked_on=utc_now().date(),
            )
        )
