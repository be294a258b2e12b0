"""Money that came for a deposit which the house has refused: kept in suspense, then sent back.

It is nobody's: it goes from the provider's clearing holder to the house account `suspense`, in the
amount that the provider has booked, so that the provider's day can be settled. What lets it leave
again is in `send_backs`; the database keeps both to their transfers and their officers.
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

HELD = "held"
"""The state of money in suspense that no return is under way of."""


@dataclass(frozen=True, slots=True)
class SuspenseItem:
    """Money in suspense, or that was.

    `state` is held, going back, or gone; `how` is the kind of the return that is under way or has
    taken it, and `reference` how the provider calls that.
    """

    id: str
    payment_id: str
    provider: Provider
    currency: str
    amount: Decimal
    reason: str
    opened_by: str
    opened_at: datetime
    age: timedelta
    state: str
    how: str | None
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
    write(
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


def find_item(connection: Session, item_id: str) -> SuspenseItem:
    """Return money in suspense as it stands.

    Raises:
        InputError: PAYMENT_SUSPENSE_UNKNOWN.

    """
    found = _read(connection, item_id, count_max=1)
    if not found:
        raise InputError(
            ErrorCode.PAYMENT_SUSPENSE_UNKNOWN,
            f'nothing is in suspense under "{item_id}"',
            why="No money that came for a refused deposit has this id.",
            hint="List it with tradewright payments suspense list.",
        )
    return found[0]


def item_of(connection: Session, payment_id: str) -> SuspenseItem | None:
    """Return what is, or was, in suspense of a deposit."""
    row = store.one(connection, "suspense_of", payment_id=payment_id)
    return None if row is None else find_item(connection, row[0])


def list_suspense(connection: Session, *, count_max: int) -> list[SuspenseItem]:
    """Return the money in suspense, what is still there first and the oldest of it on top."""
    return _read(connection, None, count_max=count_max)


def write(connection: Session, query: str, **parameters: object) -> None:
    """Write a row of suspense; what the database refuses is told in the house's errors."""
    try:
        store.write_one(connection, query, **parameters)
    except psycopg.Error as error:
        raise translate(error) from error


def _read(connection: Session, item_id: str | None, *, count_max: int) -> list[SuspenseItem]:
    rows = connection.execute(
        load_queries("tradewright.payments")["suspense_items"],
        {"id": item_id, "count_max": count_max},
    )
    return [_item(row) for row in rows]


def _item(row: tuple[Any, ...]) -> SuspenseItem:
    return SuspenseItem(row[0], row[1], Provider(row[2]), *row[3:])
