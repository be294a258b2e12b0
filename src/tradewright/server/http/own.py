"""Whose it is: what a caller may read or change of accounts, orders, positions and payments.

Somebody else's is told exactly as what does not exist, so an id says nothing to who does not know
already. Staff read everybody's by their roles, and change nobody's here.
"""

from uuid import UUID

from tradewright import payments
from tradewright.access import Action, Caller, may, require
from tradewright.payments import Payment
from tradewright.payments.steps import unknown_payment
from tradewright.postgres.connect import Session
from tradewright.trading import inquiry
from tradewright.trading.inquiry import (
    ListedAccount,
    ListedOrder,
    ListedPosition,
    ListedUser,
    OrderEvent,
)


def account_of(
    session: Session, calling: Caller, account_id: UUID | str, action: Action = Action.READ_OWN
) -> ListedAccount:
    """Return an account for an action: the caller's own, or any that staff may read.

    Raises:
        InputError: ACCOUNT_UNKNOWN, for somebody else's too.
        StateError: ACCESS_DENIED.

    """
    found = inquiry.find_account(session, str(account_id))
    if not _is_for(calling, found.user_id, action, Action.READ_CLIENTS):
        raise inquiry.unknown_account(found.id)
    return found


def order_of(
    session: Session, calling: Caller, order_id: UUID, action: Action = Action.READ_OWN
) -> tuple[ListedOrder, list[OrderEvent]]:
    """Return an order with its events; as `account_of`, with ORDER_UNKNOWN."""
    order, events = inquiry.find_order(session, str(order_id))
    account = inquiry.find_account(session, order.account_id)
    if not _is_for(calling, account.user_id, action, Action.READ_CLIENTS):
        raise inquiry.unknown_order(order.id)
    return order, events


def position_of(
    session: Session, calling: Caller, position_id: UUID, action: Action = Action.READ_OWN
) -> ListedPosition:
    """Return a position; as `account_of`, with POSITION_UNKNOWN."""
    found = inquiry.find_position(session, str(position_id))
    account = inquiry.find_account(session, found.account_id)
    if not _is_for(calling, account.user_id, action, Action.READ_CLIENTS):
        raise inquiry.unknown_position(found.id)
    return found


def payment_of(session: Session, calling: Caller, payment_id: UUID) -> Payment:
    """Return a payment to be read; as `account_of`, with PAYMENT_UNKNOWN."""
    found = payments.find_payment(session, str(payment_id))
    if not _is_for(calling, found.user_id, Action.READ_OWN, Action.READ_PAYMENTS):
        raise unknown_payment(found.id)
    return found


def user_of(session: Session, calling: Caller, user_id: UUID) -> ListedUser:
    """Return a user to be read; as `account_of`, with USER_UNKNOWN."""
    if not _is_for(calling, str(user_id), Action.READ_OWN, Action.READ_CLIENTS):
        raise inquiry.unknown_user(str(user_id))
    return inquiry.find_user(session, str(user_id))


def whose(calling: Caller, user_id: UUID | None, staff: Action = Action.READ_CLIENTS) -> str:
    """Return whose things a list is asked for: the caller's, or for staff another user's.

    Raises:
        StateError: ACCESS_DENIED, whether or not there is such a user.

    """
    if user_id is None or str(user_id) == calling.user_id:
        require(calling, Action.READ_OWN)
        return calling.user_id
    require(calling, staff)
    return str(user_id)


def owner_of(
    session: Session, calling: Caller, account_id: UUID | None, user_id: UUID | None
) -> str:
    """Return whose things a list is asked for, by an account if one is named; as `account_of`."""
    if account_id is None:
        return whose(calling, user_id)
    return account_of(session, calling, account_id).user_id


def _is_for(calling: Caller, owner: str, action: Action, staff: Action) -> bool:
    """Return whether a caller may do an action to what an owner has; others only read it."""
    if owner == calling.user_id:
        require(calling, action)
        return True
    return action is Action.READ_OWN and may(calling, staff)
