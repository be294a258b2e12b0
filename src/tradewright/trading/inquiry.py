"""What people ask about users, accounts, orders, positions and engines; no batch asks for it.

Each list is bounded and the newest stand first. `registry` opens what is listed here, and the
ledger has the wallets. Everything works in the caller's transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from tradewright.core.errors import ErrorCode, InputError
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.risk.margin import state_at_rest
from tradewright.trading.stress import AccountWorth, account_worths

_QUERIES = "tradewright.trading"


@dataclass(frozen=True, slots=True)
class ListedUser:
    """A user with the roles that were granted."""

    id: str
    email: str
    client_class: str
    kyc_level: int
    status: str
    roles: list[str]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ListedAccount:
    """A trading account with its settings, its money and how much is open in it."""

    id: str
    user_id: str
    email: str
    group: str
    currency: str
    leverage: int
    book: str
    margin_call_level: Decimal
    stop_out_level: Decimal
    status: str
    balance: Decimal
    credit: Decimal
    open_positions: int
    live_orders: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ListedOrder:
    """An order as it stands."""

    id: str
    account_id: str
    client_order_id: str
    symbol: str
    side: str
    order_type: str
    time_in_force: str
    origin: str
    book: str
    quantity: Decimal
    filled_quantity: Decimal
    remaining_quantity: Decimal
    average_price: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    stop_loss: Decimal | None
    take_profit: Decimal | None
    status: str
    is_routed: bool
    refused_by: str | None
    refusal_code: str | None
    expires_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """One step of an order."""

    seq: int
    event_type: str
    from_status: str | None
    to_status: str | None
    quantity: Decimal | None
    price: Decimal | None
    actor: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class ListedEngine:
    """A start of an engine that nobody has taken over from; one that lives shows it by a lock."""

    id: str
    providers: list[str]
    started_at: datetime
    present_since: datetime
    is_alive: bool


@dataclass(frozen=True, slots=True)
class ListedPosition:
    """A position; its quantity is below zero when it is short."""

    id: str
    account_id: str
    symbol: str
    position_mode: str
    quantity: Decimal
    average_price: Decimal
    realised_pnl: Decimal
    stop_loss: Decimal | None
    take_profit: Decimal | None
    is_open: bool
    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ListedTrade:
    """What a fill, or a pairing of two positions, did to a position; sold is below zero."""

    id: str
    account_id: str
    position_id: str
    order_id: str | None
    symbol: str
    effect: str
    quantity: Decimal
    price: Decimal
    realised_pnl: Decimal
    commission: Decimal
    executed_at: datetime


def list_users(
    session: Session, *, status: str | None = None, before: str | None = None, count_max: int
) -> list[ListedUser]:
    """Return users, those `before` another, by its id."""
    asked = {"status": status, "before": before, "count_max": count_max}
    rows = session.execute(
        load_queries(_QUERIES)["list_users"], {"id": None, "email": None} | asked
    )
    return [ListedUser(*row) for row in rows]


def find_user(session: Session, name: str) -> ListedUser:
    """Return a user by id or e-mail address.

    Raises:
        InputError: USER_UNKNOWN.

    """
    user_id = _uuid(name)
    email = name if user_id is None else None
    asked = {"status": None, "id": user_id, "email": email, "before": None, "count_max": 1}
    row = session.execute(load_queries(_QUERIES)["list_users"], asked).fetchone()
    if row is None:
        raise unknown_user(name)
    return ListedUser(*row)


def list_accounts(  # noqa: PLR0913 (one for each that may be asked for)
    session: Session,
    *,
    user_id: str | None = None,
    group: str | None = None,
    status: str | None = None,
    book: str | None = None,
    account_id: str | None = None,
    before: str | None = None,
    count_max: int,
) -> list[ListedAccount]:
    """Return accounts, those `before` another, by its id."""
    asked = {
        "id": account_id,
        "user_id": user_id,
        "group_code": group,
        "status": status,
        "book": book,
        "before": before,
        "count_max": count_max,
    }
    return [
        ListedAccount(*row)
        for row in session.execute(load_queries(_QUERIES)["list_accounts"], asked)
    ]


def find_account(session: Session, account_id: str) -> ListedAccount:
    """Return an account by its id.

    Raises:
        InputError: ACCOUNT_UNKNOWN.

    """
    found = list_accounts(session, account_id=account_id, count_max=1)
    if not found:
        raise unknown_account(account_id)
    return found[0]


def worths_of(
    session: Session, accounts: Sequence[ListedAccount]
) -> dict[str, AccountWorth | None]:
    """Return what each account is worth at the newest prices known; None where one lacks.

    What was open when the accounts were read may have been closed since, and is not counted then.
    """
    valued = account_worths(session, [one.id for one in accounts if one.open_positions])
    return {
        one.id: valued.get(one.id, AccountWorth(state_at_rest(one.balance, one.credit)))
        for one in accounts
    }


def list_orders(  # noqa: PLR0913 (one for each that may be asked for)
    session: Session,
    *,
    account_id: str | None = None,
    user_id: str | None = None,
    symbol: str | None = None,
    status: str | None = None,
    client_order_id: str | None = None,
    is_live: bool = False,
    before: str | None = None,
    count_max: int,
) -> list[ListedOrder]:
    """Return orders, or those that are live; `before` is the id of an order: only older ones."""
    asked = {
        "id": None,
        "is_live": is_live,
        "account_id": account_id,
        "user_id": user_id,
        "symbol": symbol,
        "status": status,
        "client_order_id": client_order_id,
        "before": before,
        "count_max": count_max,
    }
    rows = session.execute(load_queries(_QUERIES)["list_orders"], asked)
    return [ListedOrder(*row) for row in rows]


def find_order(session: Session, order_id: str) -> tuple[ListedOrder, list[OrderEvent]]:
    """Return an order by its id, with its events.

    Raises:
        InputError: ORDER_UNKNOWN.

    """
    anything = dict.fromkeys(
        ("account_id", "user_id", "symbol", "status", "client_order_id", "before")
    )
    asked = {**anything, "id": order_id, "is_live": False, "count_max": 1}
    row = session.execute(load_queries(_QUERIES)["list_orders"], asked).fetchone()
    if row is None:
        raise unknown_order(order_id)
    events = session.execute(load_queries(_QUERIES)["events_of_order"], {"order_id": order_id})
    return ListedOrder(*row), [OrderEvent(*each) for each in events]


def list_positions(  # noqa: PLR0913 (one for each that may be asked for)
    session: Session,
    *,
    account_id: str | None = None,
    user_id: str | None = None,
    symbol: str | None = None,
    with_closed: bool = False,
    position_id: str | None = None,
    before: str | None = None,
    count_max: int,
) -> list[ListedPosition]:
    """Return positions, those that are open unless all are asked for.

    `before` is the id of a position, and only those opened earlier are returned.
    """
    asked = {
        "id": position_id,
        "before": before,
        "account_id": account_id,
        "user_id": user_id,
        "symbol": symbol,
        "with_closed": with_closed,
        "count_max": count_max,
    }
    return [
        ListedPosition(*row)
        for row in session.execute(load_queries(_QUERIES)["list_positions"], asked)
    ]


def list_engines(session: Session, *, count_max: int) -> list[ListedEngine]:
    """Return engines that nobody has taken over from, those that live and those that are gone."""
    rows = session.execute(load_queries(_QUERIES)["list_engines"], {"count_max": count_max})
    return [ListedEngine(*row) for row in rows]


def find_position(session: Session, position_id: str) -> ListedPosition:
    """Return a position by its id, open or closed.

    Raises:
        InputError: POSITION_UNKNOWN.

    """
    found = list_positions(session, position_id=position_id, with_closed=True, count_max=1)
    if not found:
        raise unknown_position(position_id)
    return found[0]


def list_trades(
    session: Session,
    account_id: str,
    *,
    position_id: str | None = None,
    before: str | None = None,
    count_max: int,
) -> list[ListedTrade]:
    """Return what was done to an account's positions; `before` a trade, by its id."""
    asked = {
        "account_id": account_id,
        "position_id": position_id,
        "before": before,
        "count_max": count_max,
    }
    return [
        ListedTrade(*row) for row in session.execute(load_queries(_QUERIES)["list_trades"], asked)
    ]


def unknown_user(name: str) -> InputError:
    """Return what is told of a user that does not exist, or is to seem so."""
    return _unknown(ErrorCode.USER_UNKNOWN, "user", name, "An id or the whole address")


def unknown_account(account_id: str) -> InputError:
    """Return what is told of an account that does not exist, or is to seem so."""
    return _unknown(ErrorCode.ACCOUNT_UNKNOWN, "account", account_id, "An id")


def unknown_order(order_id: str) -> InputError:
    """Return what is told of an order that does not exist, or is to seem so."""
    return _unknown(ErrorCode.ORDER_UNKNOWN, "order", order_id, "The id that the house gave it")


def unknown_position(position_id: str) -> InputError:
    """Return what is told of a position that does not exist, or is to seem so."""
    return _unknown(ErrorCode.POSITION_UNKNOWN, "position", position_id, "An id")


def _uuid(name: str) -> str | None:
    try:
        return str(UUID(name))
    except ValueError:
        return None


def _unknown(code: ErrorCode, kind: str, name: str, found_by: str) -> InputError:
    return InputError(
        code,
        f'{kind} "{name}" does not exist',
        why=f"{found_by} finds it.",
        hint=f"List them with `tradewright {kind}s list`.",
        facts={kind: name},
    )
