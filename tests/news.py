"""What providers tell, for the tests: payments through providers, and messages about them.

Messages are handed to the inbox as their bytes, behind the signature check; the tests of
signatures and of the simulated providers send them over HTTP.
"""

import json
from decimal import Decimal
from itertools import count

from tests.cast import open_user, open_wallet
from tradewright import payments
from tradewright.core.ids import new_id_text
from tradewright.payments import Payment, PaymentKind, PaymentRequest, Provider
from tradewright.payments.providers.cards import CLAIM_EVENTS
from tradewright.payments.webhooks.inbox import Message, receive
from tradewright.payments.webhooks.outcome import Outcome
from tradewright.postgres.connect import Session

_NUMBERS = count(1)


def settled_user(session: Session, amount: str = "0", *, kyc_level: int = 2) -> str:
    """Open a user of long ago, whose wallet holds an amount that came long ago."""
    user_id = open_user(session, kyc_level=kyc_level)
    session.execute(
        "UPDATE users SET created_at = now() - interval '1 year' WHERE id = %s", (user_id,)
    )
    if Decimal(amount):
        open_wallet(session, user_id, amount)
    return user_id


def start(
    session: Session,
    user_id: str,
    amount: str = "100",
    *,
    kind: PaymentKind = PaymentKind.DEPOSIT,
    provider: Provider = Provider.CARDS,
    destination: str | None = "DE02120300000000202051",
) -> Payment:
    """Begin a payment through a provider, in US dollars; withdrawals go to `destination`."""
    request = PaymentRequest(
        payment_id=new_id_text(),
        user_id=user_id,
        kind=kind,
        currency="USD",
        amount=Decimal(amount),
        provider=provider,
        destination=destination if kind is PaymentKind.WITHDRAWAL else None,
    )
    with session.transaction():
        return payments.start_payment(session, request)


def news(payment: Payment, event_type: str, /, **changes: str) -> bytes:
    """Return a message of the card provider about a payment; the claim is named after it."""
    fields = {
        "type": event_type,
        "payment": f"ch_{payment.id}",
        "metadata_id": payment.id,
        "currency": payment.currency,
        "amount": f"{payment.amount:f}",
    }
    if event_type in CLAIM_EVENTS:
        fields["claim"] = f"claim_{payment.id}"
    return json.dumps(fields | changes).encode()


def tell(session: Session, body: bytes, *, event_id: str = "", provider: str = "cards") -> Outcome:
    """Hand one message to the inbox, in a transaction of its own."""
    message = Message(Provider(provider), event_id or f"evt_{next(_NUMBERS)}", body)
    with session.transaction():
        return receive(session, message)


def deposited(session: Session, user_id: str, amount: str = "100") -> Payment:
    """Begin a deposit and tell that it succeeded."""
    payment = start(session, user_id, amount)
    tell(session, news(payment, "charge.succeeded"))
    return payments.find_payment(session, payment.id)


def wallet(
    session: Session, user_id: str, currency: str = "USD"
) -> tuple[Decimal | int, Decimal | int]:
    """Return what is available and reserved in a wallet."""
    row = session.execute(
        "SELECT available, reserved FROM user_balances WHERE user_id = %s AND currency = %s",
        (user_id, currency),
    ).fetchone()
    return (Decimal(0), Decimal(0)) if row is None else (row[0], row[1])
