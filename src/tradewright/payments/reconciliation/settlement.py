"""Settlement: what a provider's day comes to, and the transfers that empty its clearing holder.

Net is deposits and returned withdrawals less withdrawals, refunds, disputes and fees. It moves
between the bank and the provider's clearing holder, and the fees between the house's costs and it,
so that the clearing holder keeps only what no statement has settled yet. Each line is settled once;
lines that come after their day was settled make another settlement of that day.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tradewright import ledger
from tradewright.core.errors import ErrorCode, StateError
from tradewright.core.money import Money
from tradewright.ledger import HouseCode
from tradewright.payments.clearing import CLEARING
from tradewright.payments.model import Provider
from tradewright.payments.reconciliation.model import Bucket, MatchKey
from tradewright.payments.reconciliation.service import compare, require_settling
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries


@dataclass(frozen=True, slots=True)
class Settlement:
    """Lines of a provider's UTC day in one currency, added up, as they are kept."""

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
    """Settle the lines of a provider's UTC day that are not settled yet; return all of the day.

    They are compared with our books first, under the same lock, whether or not a run has done so.

    Raises:
        InputError: PAYMENT_PROVIDER_UNKNOWN.
        StateError: SETTLEMENT_NOT_RECONCILED while one of these lines differs from our books.

    """
    require_settling(provider)
    queries = load_queries("tradewright.payments.reconciliation")
    parameters = {"provider": provider, "day": day}
    connection.execute(queries["lock_provider"], {"provider": provider})
    _require_matched(connection, provider, day)
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


def _require_matched(connection: Session, provider: Provider, day: date) -> None:
    rows = connection.execute(
        load_queries("tradewright.payments.reconciliation")["unsettled_movements"],
        {"provider": provider, "day": day},
    )
    due = {MatchKey(*row) for row in rows}
    found = compare(connection, provider, since=day) if due else []
    count = sum(each.key in due and each.bucket is not Bucket.MATCHED for each in found)
    if count:
        raise StateError(
            ErrorCode.SETTLEMENT_NOT_RECONCILED,
            f"the day {day} of provider {provider} has differences that are open",
            why=f"{count} of its movements differ from our books.",
            hint="Run tradewright payments reconcile, list them with tradewright payments breaks,"
            " and settle them first.",
        )


def _move(
    connection: Session, path: tuple[HouseCode, HouseCode], money: Money, settlement_id: str
) -> None:
    if money.amount:
        ledger.move_between_houses(connection, *path, money, key=(settlement_id, "settlement"))
