"""How money leaves suspense: sent back through its provider, taken, or gone with its coins.

An officer other than who put it there asks for it to be sent back; it stays in suspense until the
provider tells that it has paid, and goes into it again when it did not reach its payer. A provider,
or the payer's bank, may take it without being asked. At most one return of an item is under way or
done, so that nothing is paid twice. As with payments, the record comes first and the provider is
asked after the commit (`submission`). Callers of `apply_news` have locked the deposit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from tradewright import ledger
from tradewright.core.errors import ErrorCode, InputError, MoneyError, StateError
from tradewright.core.ids import new_id_text
from tradewright.core.money import Money
from tradewright.ledger import HouseCode
from tradewright.payments import store
from tradewright.payments.clearing import CLEARING
from tradewright.payments.model import Payment, Provider
from tradewright.payments.officers import require_officer
from tradewright.payments.suspense import HELD, SuspenseItem, find_item, item_of, write
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries


class ReturnKind(StrEnum):
    """By whose word money leaves suspense."""

    SEND_BACK = "send_back"
    REFUND = "refund"
    DISPUTE = "dispute"
    REORGANISATION = "reorganisation"


class ReturnStatus(StrEnum):
    """Where a return stands."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


RANKS: Mapping[ReturnStatus, int] = MappingProxyType(
    {ReturnStatus.PENDING: 0, ReturnStatus.SUCCEEDED: 1, ReturnStatus.FAILED: 2}
)
"""How far each state is: news lead on, never back."""


@dataclass(frozen=True, slots=True)
class SuspenseReturn:
    """A return as it is stored; `deposit_reference` is the provider's name for the deposit."""

    id: str
    item_id: str
    payment_id: str
    kind: ReturnKind
    provider: Provider
    currency: str
    amount: Decimal
    destination: str | None
    reference: str | None
    reason: str
    status: ReturnStatus
    returned_by: str | None
    has_left: bool
    deposit_reference: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SendBack:
    """What an officer asks for; the same id again is the same. Coins need a destination."""

    return_id: str
    item_id: str
    officer_id: str
    reason: str
    destination: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReturn:
    """A return that is to be written; one that nobody here has asked for begins where it ends."""

    return_id: str
    kind: ReturnKind
    status: ReturnStatus
    reason: str
    reference: str | None = None
    destination: str | None = None
    returned_by: str | None = None


def send_back(connection: Session, asked: SendBack) -> SuspenseReturn:
    """Ask for money in suspense to be sent back to its payer; the same again is harmless.

    Raises:
        InputError: PAYMENT_SUSPENSE_UNKNOWN, PAYMENT_ROUTE_MISSING, USER_UNKNOWN.
        StateError: USER_NOT_ACTIVE, USER_ROLE_MISSING, PAYMENT_APPROVAL_REFUSED,
            PAYMENT_SUSPENSE_RETURN_REFUSED, also when it is under way or gone.
        MoneyError: MONEY_IDEMPOTENCY_CONFLICT.

    """
    item = _locked(connection, asked.item_id)
    payment = store.read_payment(connection, item.payment_id)
    if payment is None:
        raise AssertionError(item.payment_id)
    require_officer(connection, payment, asked.officer_id)
    before = read_return(connection, asked.return_id)
    if before is not None:
        return _replayed(before, asked)
    _require_a_way(item, asked)
    new = NewReturn(
        return_id=asked.return_id,
        kind=ReturnKind.SEND_BACK,
        status=ReturnStatus.PENDING,
        destination=asked.destination,
        reason=asked.reason,
        returned_by=asked.officer_id,
    )
    insert_return(connection, item, new)
    return _found(connection, asked.return_id)


def take_away(connection: Session, payment: Payment, reason: str) -> None:
    """Let money leave suspense whose deposit was reversed; what was sent back before stays so.

    What was to be sent back and was not handed over yet is not sent any more.
    """
    item = item_of(connection, payment.id)
    if item is None:
        return
    is_ended = store.one(connection, "end_send_back_before_it_goes", item_id=item.id) is not None
    if not is_ended and item.state != HELD:
        return
    new = NewReturn(
        return_id=new_id_text(),
        kind=ReturnKind.REORGANISATION,
        status=ReturnStatus.SUCCEEDED,
        reference=payment.reference,
        reason=reason,
    )
    insert_return(connection, item, new)


def apply_news(
    connection: Session, known: SuspenseReturn, status: ReturnStatus, *, reference: str
) -> bool:
    """Take what the provider tells of a return; tell whether it was news.

    What is told to have been paid after it had failed went out and came back: both are booked.
    """
    if RANKS[status] > RANKS[known.status]:
        _move(connection, known, status, reference)
        return True
    if status is ReturnStatus.SUCCEEDED and not known.has_left:
        _move(connection, known, ReturnStatus.FAILED, reference, goes_both_ways=True)
        return True
    return False


def insert_return(connection: Session, item: SuspenseItem, new: NewReturn) -> None:
    """Write a return of money in suspense, whose deposit is locked, with its money.

    Raises:
        StateError: PAYMENT_SUSPENSE_RETURN_REFUSED while another is under way, or done.

    """
    leaves = new.status is ReturnStatus.SUCCEEDED
    write(
        connection,
        "insert_suspense_return",
        id=new.return_id,
        item_id=item.id,
        kind=new.kind,
        destination=new.destination,
        reference=new.reference,
        reason=new.reason,
        status=new.status,
        returned_by=new.returned_by,
        transfer_id=_transfer(connection, item, new.return_id) if leaves else None,
        reversal_id=None,
    )


def fail_send_back(connection: Session, known: SuspenseReturn) -> None:
    """End a return that its provider will not make; one that has ended stays."""
    store.one(connection, "lock_payment", payment_id=known.payment_id)
    found = _found(connection, known.id)
    if found.status is ReturnStatus.PENDING:
        _move(connection, found, ReturnStatus.FAILED, None)


def read_return(connection: Session, return_id: str) -> SuspenseReturn | None:
    """Return a return as it stands."""
    row = store.one(connection, "suspense_return", id=return_id)
    return None if row is None else _return(row)


def next_send_back_due(connection: Session, provider: str, due: store.Due) -> SuspenseReturn | None:
    """Return the next return that a provider was not asked for yet."""
    query = load_queries("tradewright.payments")["next_send_back_due"]
    row = connection.execute(query, due.of(provider)).fetchone()
    return None if row is None else _return(row)


def _require_a_way(item: SuspenseItem, asked: SendBack) -> None:
    """Refuse to send back what is not there, and coins to nowhere."""
    if item.state != HELD:
        raise StateError(
            ErrorCode.PAYMENT_SUSPENSE_RETURN_REFUSED,
            f'money in suspense "{item.id}" is {item.state}',
            why="One return of it is under way or done at a time, so that nothing is paid twice.",
            hint="List it with tradewright payments suspense list.",
        )
    if (item.provider is Provider.CHAIN) != (asked.destination is not None):
        raise InputError(
            ErrorCode.PAYMENT_ROUTE_MISSING,
            f'money in suspense "{item.id}" has no way to go back',
            why="Coins go to an address, because no chain tells who may be paid at where they came"
            " from; what came otherwise goes back to where it was paid from.",
            hint="Give a destination for coins, and none for anything else.",
        )


def _replayed(before: SuspenseReturn, asked: SendBack) -> SuspenseReturn:
    known = (before.item_id, before.returned_by, before.destination)
    if known == (asked.item_id, asked.officer_id, asked.destination):
        return before
    raise MoneyError(
        ErrorCode.MONEY_IDEMPOTENCY_CONFLICT,
        f'return "{before.id}" exists with other contents',
        why=f'It is of "{before.item_id}" in suspense, by another officer or to elsewhere.',
        hint="Use a new id for a new return.",
    )


def _locked(connection: Session, item_id: str) -> SuspenseItem:
    """Lock the item's deposit, and return the item."""
    store.one(connection, "lock_payment", payment_id=find_item(connection, item_id).payment_id)
    return find_item(connection, item_id)


def _move(
    connection: Session,
    known: SuspenseReturn,
    status: ReturnStatus,
    reference: str | None,
    *,
    goes_both_ways: bool = False,
) -> None:
    item = find_item(connection, known.item_id)
    leaves = goes_both_ways or (status is ReturnStatus.SUCCEEDED)
    comes_back = goes_both_ways or (status is ReturnStatus.FAILED and known.has_left)
    write(
        connection,
        "move_suspense_return",
        id=known.id,
        status=status,
        reference=reference,
        transfer_id=_transfer(connection, item, known.id) if leaves else None,
        reversal_id=_transfer(connection, item, known.id, is_back=True) if comes_back else None,
    )


def _transfer(
    connection: Session, item: SuspenseItem, return_id: str, *, is_back: bool = False
) -> str:
    path = (HouseCode.SUSPENSE, CLEARING[item.provider])
    giver, receiver = path[::-1] if is_back else path
    money = Money(item.amount, item.currency)
    key = (return_id, "suspense_reversal" if is_back else "suspense_return")
    return ledger.move_between_houses(connection, giver, receiver, money, key=key)


def _found(connection: Session, return_id: str) -> SuspenseReturn:
    found = read_return(connection, return_id)
    if found is None:
        raise AssertionError(return_id)
    return found


def _return(row: tuple[Any, ...]) -> SuspenseReturn:
    return SuspenseReturn(
        id=row[0],
        item_id=row[1],
        payment_id=row[2],
        kind=ReturnKind(row[3]),
        provider=Provider(row[4]),
        currency=row[5],
        amount=row[6],
        destination=row[7],
        reference=row[8],
        reason=row[9],
        status=ReturnStatus(row[10]),
        returned_by=row[11],
        has_left=row[12],
        deposit_reference=row[13],
        created_at=row[14],
    )
