"""Money that came for a deposit which the house has refused: kept in suspense, then sent back.

It is nobody's: it goes from the provider's clearing holder to the house account `suspense`, in the
amount that the provider has booked, so that the provider's day can be settled. Another officer than
who put it there sends it back, under the provider's name for that. Coins that a reorganisation
takes away leave it by themselves. The database keeps both to their transfers and their officers.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg

from tradewright import ledger
from tradewright.core.errors import ErrorCode, InputError
from tradewright.core.ids import new_id_text
from tradewright.core.money import Money
from tradewright.ledger import HouseCode
from tradewright.payments import store
from tradewright.payments.clearing import CLEARING
from tradewright.payments.model import Payment, Provider
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.postgres.refusals import translate


@dataclass(frozen=True, slots=True)
class SuspenseItem:
    """Money in suspense, or that was; `reference` is how the provider calls its sending back."""

    id: str
    payment_id: str
    provider: Provider
    currency: str
    amount: Decimal
    reason: str
    opened_by: str
    opened_at: datetime
    age: timedelta
    reference: str | None
    returned_by: str | None
    returned_at: datetime | None


def put_into_suspense(
    connection: Session, payment: Payment, officer_id: str, money: Money, *, reason: str
) -> str:
    """Put what came for a refused deposit, which is locked, into suspense; return the item's id.

    Raises:
        StateError: PAYMENT_SUSPENSE_REFUSED.

    """
    item_id = new_id_text()
    path = (CLEARING[payment.provider], HouseCode.SUSPENSE)
    transfer_id = ledger.move_between_houses(connection, *path, money, key=(item_id, "suspense"))
    _write(
        connection,
        "insert_suspense_item",
        id=item_id,
        payment_id=payment.id,
        currency=money.currency,
        amount=money.amount,
        reason=reason,
        opened_by=officer_id,
        transfer_id=transfer_id,
    )
    store.write_one(connection, "note_arrival", payment_id=payment.id)
    return item_id


def send_back(
    connection: Session, item_id: str, officer_id: str, *, reference: str, reason: str
) -> SuspenseItem:
    """Note that money in suspense was sent back to its payer; the same again is harmless.

    Raises:
        InputError: PAYMENT_SUSPENSE_UNKNOWN.
        StateError: PAYMENT_SUSPENSE_RETURN_REFUSED, also when it has gone under another name.

    """
    item = _locked(connection, item_id)
    if (item.reference, item.returned_by) == (reference, officer_id):
        return item
    _leave(connection, item, officer_id, reference, reason)
    return find_item(connection, item_id)


def take_away(connection: Session, payment: Payment, reason: str) -> None:
    """Let money leave suspense whose deposit was reversed; what was sent back before stays so."""
    row = store.one(connection, "suspense_of", payment_id=payment.id)
    item = None if row is None else _locked(connection, row[0])
    if item is not None and item.returned_at is None:
        _leave(connection, item, None, None, reason)


def find_item(connection: Session, item_id: str) -> SuspenseItem:
    """Return money in suspense as it stands.

    Raises:
        InputError: PAYMENT_SUSPENSE_UNKNOWN.

    """
    row = store.one(connection, "suspense_item", id=item_id)
    if row is None:
        raise InputError(
            ErrorCode.PAYMENT_SUSPENSE_UNKNOWN,
            f'nothing is in suspense under "{item_id}"',
            why="No money that came for a refused deposit has this id.",
            hint="List it with tradewright payments suspense list.",
        )
    return _item(row)


def list_suspense(connection: Session, *, count_max: int) -> list[SuspenseItem]:
    """Return the money in suspense, what is still there first and the oldest of it on top."""
    rows = connection.execute(
        load_queries("tradewright.payments")["list_suspense"], {"count_max": count_max}
    )
    return [_item(row) for row in rows]


def _item(row: tuple[Any, ...]) -> SuspenseItem:
    return SuspenseItem(row[0], row[1], Provider(row[2]), *row[3:])


def _locked(connection: Session, item_id: str) -> SuspenseItem:
    """Lock the item's deposit, and return the item."""
    store.one(connection, "lock_payment", payment_id=find_item(connection, item_id).payment_id)
    return find_item(connection, item_id)


def _leave(
    connection: Session,
    item: SuspenseItem,
    officer_id: str | None,
    reference: str | None,
    reason: str,
) -> None:
    path = (HouseCode.SUSPENSE, CLEARING[item.provider])
    money = Money(item.amount, item.currency)
    key = (item.id, "suspense_return")
    _write(
        connection,
        "insert_suspense_return",
        item_id=item.id,
        reference=reference,
        reason=reason,
        returned_by=officer_id,
        transfer_id=ledger.move_between_houses(connection, *path, money, key=key),
    )


def _write(connection: Session, query: str, **parameters: object) -> None:
    try:
        store.write_one(connection, query, **parameters)
    except psycopg.Error as error:
        raise translate(error) from error
