"""The words of the order state machine, FIX 4.4's with their codes; of the order's form and steps.

What an order is asked to be, where it stands, what has happened to it, and who said so.
"""

from enum import StrEnum


class OrderType(StrEnum):
    """FIX OrdType (40), with its code.

    Market 1, limit 2, stop 3, stop limit 4, trailing stop P (pegged), take profit J (market if
    touched).
    """

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"
    TAKE_PROFIT = "take_profit"

    @property
    def has_trigger(self) -> bool:
        """Whether an order of this type sleeps until its stop price is reached."""
        return self not in {OrderType.MARKET, OrderType.LIMIT}


class TrailingUnit(StrEnum):
    """FIX PegOffsetType (836): the distance of a trailing stop in price 0, bps 1 or ticks 2."""

    PRICE = "price"
    BPS = "bps"
    TICKS = "ticks"


class TimeInForce(StrEnum):
    """FIX TimeInForce (59), with its code.

    Day 0 (until 17:00 in New York), good till cancel 1, immediate or cancel 3, fill or kill 4,
    good till date 6.
    """

    DAY = "day"
    GTC = "gtc"
    GTD = "gtd"
    IOC = "ioc"
    FOK = "fok"

    @property
    def may_rest(self) -> bool:
        """Whether an order may wait for its price, rather than deal now or never."""
        return self not in {TimeInForce.IOC, TimeInForce.FOK}

    @property
    def is_dated(self) -> bool:
        """Whether an order ends at an instant that is known when it is accepted."""
        return self in {TimeInForce.DAY, TimeInForce.GTD}


class OrderStatus(StrEnum):
    """FIX OrdStatus (39), with its code.

    Pending new A, new 0, partially filled 1, pending cancel 6, pending replace E, filled 2,
    canceled 4, rejected 8, expired C.
    """

    PENDING_NEW = "pending_new"
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    EXPIRED = "expired"

    @property
    def is_live(self) -> bool:
        """Whether the order may still be filled."""
        return self in LIVE_STATUSES

    @property
    def is_pending_change(self) -> bool:
        """Whether its end or other terms were asked for, and a provider must answer first."""
        return self in {OrderStatus.PENDING_CANCEL, OrderStatus.PENDING_REPLACE}


LIVE_STATUSES = frozenset(
    {
        OrderStatus.PENDING_NEW,
        OrderStatus.NEW,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.PENDING_CANCEL,
        OrderStatus.PENDING_REPLACE,
    }
)


class EventType(StrEnum):
    """FIX ExecType (150), with its code.

    Pending new A, new 0, trade F, triggered L, restated D, replaced 5, pending cancel 6, pending
    replace E, canceled 4, rejected 8, expired C.
    """

    PENDING_NEW = "pending_new"
    NEW = "new"
    TRADE = "trade"
    TRIGGERED = "triggered"
    RESTATED = "restated"
    REPLACED = "replaced"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    CANCELED = "canceled"
    REJECTED = "rejected"
    EXPIRED = "expired"


class Origin(StrEnum):
    """Who asked for an order: the client, or a watcher of the house."""

    CLIENT = "client"
    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"
    STOP_OUT = "stop_out"


class RefusedBy(StrEnum):
    """Denied by the house, or rejected by the liquidity provider."""

    HOUSE = "house"
    PROVIDER = "provider"


class Direction(StrEnum):
    """Which way money moves between a wallet and a trading account of the same user."""

    TO_ACCOUNT = "to_account"
    TO_WALLET = "to_wallet"
