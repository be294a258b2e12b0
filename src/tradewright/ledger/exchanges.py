"""Exchanges between the currencies of one user, at a rate and a spread that are kept."""

from dataclasses import dataclass
from decimal import Decimal

from tradewright.ledger.functions import LedgerReply, call_ledger
from tradewright.postgres.connect import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """An amount of one currency to be given for another.

    `mid_rate` is how many units are received for one that is given, before the house keeps its
    `spread`, a share of the rate; what is received is rounded down.
    """

    from_currency: str
    to_currency: str
    amount: Decimal
    mid_rate: Decimal
    spread: Decimal


def exchange(
    connection: Session, user_id: str, asked: Exchange, *, transaction_id: str
) -> LedgerReply:
    """Exchange available money in two transfers; the reply is that of the wallet that receives.

    Raises:
        InputError: INPUT_RATE_MALFORMED.
        MoneyError: MONEY_EXCHANGE_TOO_SMALL, MONEY_INSUFFICIENT_FUNDS, MONEY_WALLET_FROZEN,
            MONEY_WALLET_CLOSED, MONEY_IDEMPOTENCY_CONFLICT.

    """
    return call_ledger(
        connection,
        "exchange",
        user_id=user_id,
        from_currency=asked.from_currency,
        to_currency=asked.to_currency,
        amount=asked.amount,
        mid_rate=asked.mid_rate,
        spread=asked.spread,
        transaction_id=transaction_id,
    )
