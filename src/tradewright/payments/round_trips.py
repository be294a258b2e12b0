"""Money that went out and came back, when the provider tells of its return first.

The return gives the money back before the ledger has seen it leave. The news that it had left then
book both ways at once, because the provider's statement shows both: nothing stays moved. What the
wallet lacks for that moment is lent and paid back in it. The caller has locked the payment.
"""

from decimal import Decimal

from tradewright import ledger
from tradewright.payments import store
from tradewright.payments.clearing import CLEARING
from tradewright.payments.debts import collect_debts, lend_shortfall
from tradewright.payments.model import Payment
from tradewright.postgres.connect import Session


def book_round_trip(connection: Session, payment: Payment, key: str, amount: Decimal) -> bool:
    """Book an amount out to the payment's provider and back; tell whether that was news.

    `key` is the withdrawal's id or the claim's; what has left under it is not booked again.

    Raises:
        MoneyError: MONEY_WALLET_FROZEN, MONEY_WALLET_CLOSED.

    """
    row = store.one(connection, "has_left", id=key)
    if row is None or row[0]:
        return False
    lend_shortfall(connection, payment, amount)
    ledger.debit(
        connection,
        payment.user_id,
        payment.currency,
        amount,
        transaction_id=key,
        house=CLEARING[payment.provider],
    )
    ledger.reverse(connection, (key, "debit"), transaction_id=key)
    collect_debts(connection, payment.user_id, payment.currency)
    return True
