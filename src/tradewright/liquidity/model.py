"""Values of the liquidity side: quotes, a provider's offer, what it is asked and what it answers.

Owns the shapes that cross the border between prices and orders. It holds no rule and does no
I/O: quote_file.py reads quotes, quote_filter.py refuses the untradable ones, board.py ranks what
providers offer, simulator.py plays the providers. All prices and sizes are `Decimal`, all times
aware UTC.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Side(StrEnum):
    """The side of an order as its client sees it: a buyer pays the ask, a seller gets the bid."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """Return +1 for a buy and -1 for a sell: the direction of the signed quantity."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        """Return the side that closes what this side opened."""
        return Side.SELL if self is Side.BUY else Side.BUY


class RejectReason(StrEnum):
    """Why a provider rejects a request (we deny, providers reject)."""

    QUANTITY = "quantity"
    UNKNOWN_SYMBOL = "unknown_symbol"
    STALE_PRICE = "stale_price"
    LIMIT_NOT_MET = "limit_not_met"
    LAST_LOOK = "last_look"
    DECLINED = "declined"
    UNFILLED = "unfilled"
    UNKNOWN_REQUEST = "unknown_request"
    NOT_CONNECTED = "not_connected"


@dataclass(frozen=True, slots=True)
class Quote:
    """A base quote of the market, as recorded or generated; it may be crossed or stale."""

    symbol: str
    bid: Decimal
    ask: Decimal
    quoted_at: datetime


@dataclass(frozen=True, slots=True)
class ProviderQuote:
    """What one liquidity provider offers to trade on, with the sizes it stands for.

    `sequence` rises by at least one with each quote of a provider and symbol.
    """

    provider: str
    symbol: str
    bid: Decimal
    ask: Decimal
    bid_size: Decimal
    ask_size: Decimal
    quoted_at: datetime
    sequence: int


@dataclass(frozen=True, slots=True)
class Level:
    """One provider's price for one side of one symbol, with the size it stands for.

    Less than `quantity_min` is not dealt on it.
    """

    provider: str
    price: Decimal
    size: Decimal
    quoted_at: datetime
    quantity_min: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderProfile:
    """How a simulated provider prices, how deep it stands, how fast and how reliable it is.

    The markup is added on each side: `spread_markup_bps` of the mid price, in basis points
    (1 bps = 0.0001). `size` is in units of the base currency and stands on both sides of each
    quote. While it holds a request for `last_look_ms`, the provider rejects when the market has
    moved against it by more than `tolerance_bps`; otherwise it rejects with
    `reject_probability`. Each quote begins an outage with `outage_probability`; the provider is
    then silent for 1 to `outage_quotes_max` quotes of any symbol.
    """

    code: str
    priority: int
    spread_markup_bps: Decimal
    size: Decimal
    latency_ms: int
    last_look_ms: int
    tolerance_bps: Decimal
    reject_probability: Decimal
    outage_probability: Decimal
    outage_quotes_max: int
    quote_age_ms_max: int


@dataclass(frozen=True, slots=True)
class ProviderRequest:
    """A request to deal with a provider; without a limit it deals at the provider's price."""

    request_id: str
    symbol: str
    side: Side
    quantity: Decimal
    limit_price: Decimal | None
    requested_at: datetime
    is_all_or_nothing: bool = False


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """A provider's word on one request: an execution, its last word, or both.

    `execution_id` is the key by which an answer is booked once however often it arrives; a
    reject has one too. `quantity` is what this execution dealt (0 when nothing) and may be less
    than asked; `price` is the price dealt, or None when nothing was. `total_quantity` is what the
    request has dealt in all (FIX CumQty), or None where this execution is its only one.
    `accepted` says that anything was dealt; `reason` is a `RejectReason`, or None when accepted.
    Until an answer `is_final`, more may come. `symbol`, `side` and `currency` (in which it counts
    the quantity) are what the provider says that it dealt, None where it says nothing of them.
    """

    request_id: str
    provider: str
    accepted: bool
    price: Decimal | None
    quantity: Decimal
    hold_ms: int
    decided_at: datetime
    reason: str | None
    execution_id: str
    total_quantity: Decimal | None = None
    is_final: bool = True
    symbol: str | None = None
    side: Side | None = None
    currency: str | None = None

    @property
    def dealt_quantity(self) -> Decimal:
        """Return what the request has dealt in all, this execution included."""
        return self.quantity if self.total_quantity is None else self.total_quantity
