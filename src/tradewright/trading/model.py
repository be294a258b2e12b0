"""Commands of the trading engine, and reports.

A command asks for something and carries the account whose lock it needs; a report says what
became of it. Their words are those of `words`. Ids are canonical UUID text.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import assert_never

from msgspec import Struct

from tradewright.core.errors import ErrorCode
from tradewright.liquidity.model import ProviderAnswer, ProviderRequest, Side
from tradewright.trading.amendments import AmendPosition, AmendReport
from tradewright.trading.house_commands import BookMeasures, LookAgain, OpenHedge, TellUnpriced
from tradewright.trading.pairings import CloseBy, CloseByReport
from tradewright.trading.swaps import RollOver, RolloverReport
from tradewright.trading.words import (
    LIVE_STATUSES,
    Direction,
    EventType,
    OrderStatus,
    OrderType,
    Origin,
    RefusedBy,
    TimeInForce,
    TrailingUnit,
)

__all__ = [
    "LIVE_STATUSES",
    "AccountCommand",
    "BookAnswers",
    "CancelOrder",
    "CheckMargin",
    "ClosePosition",
    "Command",
    "Direction",
    "EndReducing",
    "EventType",
    "ExpireOrder",
    "HaltOrders",
    "HouseCommand",
    "MarginReport",
    "MoneyReport",
    "MoveMoney",
    "MoveStop",
    "NothingDone",
    "OrderReport",
    "OrderStatus",
    "OrderType",
    "Origin",
    "RefusedBy",
    "ReplaceOrder",
    "Report",
    "SubmitOrder",
    "TimeInForce",
    "TrailingUnit",
    "TriggerOrder",
    "ids_of",
]


class SubmitOrder(Struct, frozen=True, kw_only=True):
    """Ask for a new order. The same (account_id, client_order_id) again returns the first one.

    Quantity is in units of the base currency, prices in quote currency. A market order is
    immediate (IOC or FOK), and its limit price, if any, bounds its slippage. `stop_price` is what
    a stop, stop limit or take profit waits for; a trailing stop has a distance instead.
    `expires_at` goes with good till date, and is aware. Stop-loss and take-profit go with the
    position that the order opens. Orders of one `oco_group` are alternatives: what one deals is
    taken from the others, and one that wakes or is filled cancels them. An order with a position
    id closes that position, or a part of it, and is immediate.
    """

    account_id: str
    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    order_type: OrderType = OrderType.MARKET
    time_in_force: TimeInForce = TimeInForce.IOC
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    expires_at: datetime | None = None
    position_id: str | None = None
    trailing_distance: Decimal | None = None
    trailing_unit: TrailingUnit = TrailingUnit.PRICE
    is_reduce_only: bool = False
    is_post_only: bool = False
    oco_group: str | None = None
    metadata: Mapping[str, object] | None = None


class CancelOrder(Struct, frozen=True, kw_only=True):
    """Ask to cancel a live order by the client's own key."""

    account_id: str
    client_order_id: str


class ReplaceOrder(Struct, frozen=True, kw_only=True):
    """Ask for another quantity or price of a live order, under a new key; what is None stays.

    The quantity is the whole order's, what has been filled included. The order keeps its fills
    and its id; either key names it from then on (FIX OrderCancelReplaceRequest).
    """

    account_id: str
    client_order_id: str
    new_client_order_id: str
    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


class TriggerOrder(Struct, frozen=True, kw_only=True):
    """Proposed by the watcher: a resting order's price has been reached.

    For a trailing stop `stop_price` is where its stop stood then.
    """

    account_id: str
    order_id: str
    stop_price: Decimal | None = None


class MoveStop(Struct, frozen=True, kw_only=True):
    """Proposed by the watcher: a trailing stop has moved far enough to be written down."""

    account_id: str
    order_id: str
    stop_price: Decimal


class EndReducing(Struct, frozen=True, kw_only=True):
    """Proposed by the watcher: a reduce-only order has no position left to reduce."""

    account_id: str
    order_id: str


class ExpireOrder(Struct, frozen=True, kw_only=True):
    """Proposed by the watcher: a resting order's time is over."""

    account_id: str
    order_id: str


class ClosePosition(Struct, frozen=True, kw_only=True):
    """Ask to close an open position whole; proposed by the watcher for stop-loss or take-profit.

    For the two protections the batch asks again whether the price has been reached. A client who
    closes a part names it by a client order id, so that it is closed once.
    """

    account_id: str
    position_id: str
    symbol: str
    origin: Origin = Origin.CLIENT
    quantity: Decimal | None = None
    client_order_id: str | None = None


class HaltOrders(Struct, frozen=True, kw_only=True):
    """Asked for by a halt: cancel every resting order of the account that falls under a kill."""

    account_id: str


class CheckMargin(Struct, frozen=True, kw_only=True):
    """Proposed by the watchers: the account's margin level has crossed one of its levels.

    It `is_overdue` when nothing could be done for too long, and a `failure` is the code of the
    check before, to be told.
    """

    account_id: str
    is_overdue: bool = False
    failure: str | None = None


class BookAnswers(Struct, frozen=True, kw_only=True):
    """What the providers answered for an order that was passed on to them, or for a hedge.

    When it `is_final` every provider that was asked has said its last word; until then the order
    stays with them. It `may_go_on` when they have and another is there to ask, if the batch lets
    it.
    """

    account_id: str
    order_id: str
    answers: tuple[tuple[ProviderRequest, ProviderAnswer], ...]
    is_final: bool = True
    may_go_on: bool = False


class MoveMoney(Struct, frozen=True, kw_only=True):
    """Move money between a trading account and its owner's wallet, once per transaction_id."""

    account_id: str
    direction: Direction
    amount: Decimal
    transaction_id: str


AccountCommand = (
    SubmitOrder
    | CancelOrder
    | ReplaceOrder
    | TriggerOrder
    | ExpireOrder
    | MoveStop
    | EndReducing
    | ClosePosition
    | CloseBy
    | AmendPosition
    | HaltOrders
    | RollOver
    | CheckMargin
    | BookAnswers
    | MoveMoney
)
"""What is done to one account, under its lock."""

HouseCommand = BookMeasures | OpenHedge | TellUnpriced | LookAgain
"""What the house does for itself; proposed by the engine."""

Command = AccountCommand | HouseCommand


def ids_of(  # noqa: PLR0911 (one way out for each kind of command)
    command: Command,
) -> tuple[str, ...]:
    """Return the ids by which a command names rows, as its sender wrote them."""
    match command:
        case MoveMoney():
            return command.account_id, command.transaction_id
        case ClosePosition():
            return command.account_id, command.position_id
        case CloseBy():
            pair = command.position_id, command.by_position_id
            return command.account_id, command.close_by_id, *pair
        case AmendPosition():
            return command.account_id, command.amendment_id, command.position_id
        case TriggerOrder() | ExpireOrder() | MoveStop() | EndReducing() | BookAnswers():
            return command.account_id, command.order_id
        case SubmitOrder(position_id=str(position_id)):
            return command.account_id, position_id
        case (
            SubmitOrder()
            | CancelOrder()
            | ReplaceOrder()
            | CheckMargin()
            | LookAgain()
            | HaltOrders()
            | RollOver()
        ):
            return (command.account_id,)
        case BookMeasures() | OpenHedge() | TellUnpriced():
            return ()
        case _:
            assert_never(command)


class OrderReport(Struct, frozen=True):
    """An order after a command: its state, what was filled, and why it was refused if it was.

    `is_routed` says that the providers' answer is awaited; `is_replay` that the order had been
    submitted before under the same key.
    """

    order_id: str
    client_order_id: str
    status: OrderStatus
    filled_quantity: Decimal
    average_price: Decimal | None
    refused_by: RefusedBy | None = None
    refusal_code: ErrorCode | None = None
    is_routed: bool = False
    is_replay: bool = False


class MarginReport(Struct, frozen=True):
    """What the house found and did in an account: at a margin check, or under a kill.

    It `is_stuck` that is to be stopped out when nothing could be done about it, and `is_below` its
    stop-out level still after what was done.
    """

    account_id: str
    margin_level: Decimal | None
    called: bool = False
    resolved: bool = False
    orders_canceled: int = 0
    positions_closed: int = 0
    forgiven: Decimal = Decimal(0)
    is_stuck: bool = False
    is_below: bool = False


class MoneyReport(Struct, frozen=True):
    """The trading account's balance after money moved."""

    account_id: str
    balance: Decimal
    is_replay: bool = False


class NothingDone(Struct, frozen=True):
    """A watcher's proposal that did not hold under the lock, for a reason that `may_last`."""

    why: str
    may_last: bool = False


Report = (
    OrderReport
    | CloseByReport
    | AmendReport
    | MarginReport
    | MoneyReport
    | RolloverReport
    | NothingDone
)
