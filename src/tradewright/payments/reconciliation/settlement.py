"""Settlement: what a provider's day comes to, and the transfers that empty its clearing holder.

Net is deposits and returned withdrawals less withdrawals, refunds, disputes and fees. It moves
between the bank and the provider's clearing holder, and the fees between the house's costs and it,
so that the clearing holder keeps only what no statement has settled yet.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tradewright import ledger
from tradewright.core.errors import ErrorCode, StateError
from tradewright.core.money import Money
from tradewright.ledger import HouseCode
from tradewright.payments.model import Provider
from tradewright.payments.reconciliation.service import require_settling
from tradewright.payments.steps import CLEARING
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries


@dataclass(frozen=True, slots=True)
class Settlement:
    """A provider's UTC day in one currency, as it is kept."""

    id: str
    currency: str
    settled_on: date
    deposits: Decimal
    withdrawals: Decimal
    returns: Decimal
    refunds: Decimal
    disputes: Decimal
    fees: Decimal
    net: Decimal
    line_count: int


def settle(connection: Session, provider: Provider, day: date) -> list[Settlement]:
    """Settle a provider's UTC day from its statements, once; return it by currency.

    Raises:
        InputError: PAYMENT_PROVIDER_UNKNOWN.
        StateError: SETTLEMENT_NOT_RECONCILED while a line of the day differs from our books.

    """
    require_settling(provider)
    queries = load_queries("tradewright.payments.reconciliation")
    parameters = {"provider": provider, "day": day}
    connection.execute(queries["lock_provider"], {"provider": provider})
    row = connection.execute(queries["unsettled_breaks"], parameters).fetchone()
    if row is None or row[0]:
        raise StateError(
            ErrorCode.SETTLEMENT_NOT_RECONCILED,
            f"the day {day} of provider {provider} has differences that are open",
            why=f"{row and row[0]} of its movements differ from our books.",
            hint="List them with tradewright payments breaks, and settle them first.",
        )
    for settlement_id, currency, fees, net in connection.execute(queries["settle"], parameters):
        clearing = CLEARING[provider]
        _move(
            connection, (HouseCode.PROVIDER_COSTS, clearing), Money(fees, currency), settlement_id
        )
        if net >= 0:
            _move(connection, (HouseCode.BANK, clearing), Money(net, currency), settlement_id)
        else:
            _move(connection, (clearing, HouseCode.BANK), Money(-net, currency), settlement_id)
    return read_settlements(connection, provider, day)


def read_settlements(connection: Session, provider: Provider, day: date) -> list[Settlement]:
    """Return what a provider's UTC day came to, by currency."""
    rows = connection.execute(
        load_queries("tradewright.payments.reconciliation")["settlements"],
        {"provider": provider, "day": day},
    )
    return [Settlement(*row) for row in rows]


def _move(
    connection: Session, path: tuple[HouseCode, HouseCode], money: Money, settlement_id: str
) -> None:
    if money.amount:
        ledger.move_between_houses(connection, *path, money, key=(settlement_id, "settlement"))
