"""Payment providers: who moves money outside the house, behind one Protocol.

`cards` is a card scheme and bank in one, `chain` two chains of coins. Both are simulators that
behave like the real thing towards the house: they are asked after a commit, answer later by signed
webhooks over HTTP that may come twice, late and in any order, and write statements. Each module
also reads its own format of messages (`read_event`).
"""

from datetime import date
from typing import Protocol

from tradewright.payments.claims import Claim
from tradewright.payments.model import Payment, Provider
from tradewright.payments.send_backs import SuspenseReturn


class PaymentProvider(Protocol):
    """A provider as the house sees it. Asking again for the same id changes nothing."""

    code: Provider

    def submit(self, payment: Payment) -> None:
        """Ask to collect a deposit or to pay out a withdrawal; the news come by webhook."""

    def refund(self, claim: Claim, reference: str) -> None:
        """Ask to give a part of the payment that the provider knows as `reference` back."""

    def send_back(self, order: SuspenseReturn) -> None:
        """Ask to send money back that came for a deposit which the house has refused."""

    def statement(self, day: date) -> bytes:
        """Return what was booked on a UTC day, as CSV."""
