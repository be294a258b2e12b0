"""What a batch holds while it decides: the locked rows as values that change in memory.

These are the only mutable values of trading. They live for one batch, are read under lock by
`store`, changed by the deciding modules, and written back by `store`. `version_read` is the
version of the row in the database; zero for a row that the batch has made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from tradewright.core.errors import ErrorCode
from tradewright.ledger.journal import Journal
from tradewright.ledger.model import Holder, HouseCode
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.last_prices import LastPrices
from tradewright.liquidity.market import Market
from tradewright.liquidity.model import ProviderAnswer, ProviderRequest, Side
from tradewright.risk.margin import Exposure
from tradewright.risk.model import RiskProfile
from tradewright.routing.exposures import Exposures
from tradewright.routing.model import Book
from tradewright.routing.profiles import ClientProfile
from tradewright.trading.amendments import AmendPosition, AmendReport
from tradewright.trading.figures import Figures
from tradewright.trading.groups import AccountGroup, PositionMode
from tradewright.trading.model import (
    OrderReport,
    OrderStatus,
    OrderType,
    Origin,
    RefusedBy,
    ReplaceOrder,
    TimeInForce,
)
from tradewright.trading.pairings import CloseBy, CloseByReport
from tradewright.trading.reference import Reference
from tradewright.trading.swap_store import NO_ROLLING, Rolling


class OrderState(Struct, kw_only=True):
    """An order; `version` counts its events. What has a default is what a new order begins with.

    `engine_id` is the engine that asks providers about it, or asked them last; `first_figures` are
    there of one that was changed and is named by its key.
    """

    id: str
    account_id: str
    client_order_id: str
    instrument: Instrument
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    origin: Origin
    book: Book
    quantity: Decimal
    filled_quantity: Decimal = Decimal(0)
    remaining_quantity: Decimal
    average_price: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    position_id: str | None = None
    closes_whole: bool = False
    status: OrderStatus = OrderStatus.NEW
    is_routed: bool = False
    engine_id: str | None = None
    refused_by: RefusedBy | None = None
    refusal_code: ErrorCode | None = None
    expires_at: datetime | None = None
    trailing_distance: Decimal | None = None
    trailing_terms: str | None = None
    triggered_at: datetime | None = None
    is_reduce_only: bool = False
    is_post_only: bool = False
    oco_group: str | None = None
    is_replaced: bool = False
    first_figures: Figures | None = None
    metadata: Mapping[str, object] | None = None
    version: int = 0
    version_read: int = 0
    fill_value: Decimal = Decimal(0)

    @property
    def awaits_trigger(self) -> bool:
        """Return whether the order sleeps until its stop price is reached."""
        return self.order_type.has_trigger and self.triggered_at is None

    def report(self, key: str | None = None, *, is_replay: bool = False) -> OrderReport:
        """Return the order as its client reads it, under the key by which it was named."""
        return OrderReport(
            self.id,
            key or self.client_order_id,
            self.status,
            self.filled_quantity,
            self.average_price,
            self.refused_by,
            self.refusal_code,
            self.is_routed,
            is_replay,
        )


class PositionState(Struct, kw_only=True):
    """A position; `quantity` is signed, `version` counts its trades.

    `opening_rate` is what a unit of base was worth in the account's currency when it was opened;
    it is there where the group computes margin at that. `amended_by` is the amendment that holds
    for its levels, if its client has changed them.
    """

    id: str
    account_id: str
    instrument: Instrument
    mode: PositionMode = PositionMode.NETTING
    quantity: Decimal
    average_price: Decimal
    realised_pnl: Decimal
    stop_loss: Decimal | None
    take_profit: Decimal | None
    version: int
    version_read: int
    is_touched: bool = False
    opening_rate: Decimal | None = None
    amended_by: str | None = None

    def exposure(self) -> Exposure:
        """Return the position as the margin formulas want it."""
        return Exposure(self.instrument, self.quantity, self.average_price, self.opening_rate)

    def exposure_without(self, closed: Decimal) -> Exposure:
        """Return what is left of the position after a quantity of it is closed."""
        left = self.quantity - closed if self.quantity > 0 else self.quantity + closed
        return Exposure(self.instrument, left, self.average_price, self.opening_rate)


class AccountState(Struct, kw_only=True):
    """A trading account under lock with its open positions and its loaded live orders.

    `positions` are those of each symbol, the oldest first; in netting there is at most one.
    """

    id: str
    group: AccountGroup
    is_active: bool
    book: Book
    profile: RiskProfile
    holder: Holder
    margin_call_id: str | None
    positions: dict[str, list[PositionState]] = {}
    live_orders: dict[str, OrderState] = {}

    @property
    def open_positions(self) -> list[PositionState]:
        """Return the positions that are open now, those of this batch included."""
        return [position for held in self.positions.values() for position in held]

    @property
    def nets(self) -> bool:
        """Whether there is at most one position per symbol."""
        return self.group.position_mode is PositionMode.NETTING

    def held(self, symbol: str) -> Decimal:
        """Return the signed quantity that is open in a symbol, over all its positions."""
        quantity = Decimal(0)
        for position in self.positions.get(symbol, ()):
            quantity += position.quantity
        return quantity

    def position(self, symbol: str, position_id: str) -> PositionState | None:
        """Return an open position of a symbol by its id."""
        for position in self.positions.get(symbol, ()):
            if position.id == position_id:
                return position
        return None


class History(Struct):
    """What limits ask about an account's past, and what the batch has added to it.

    `messages` counts the new orders of the last second, `quantities` are those of the last dealt
    orders by symbol, `since_session` what was realised since 17:00 in New York, `fallen` how much
    that is below its best of thirty days, `realised_here` what the batch itself has realised.
    """

    messages: int = 0
    quantities: dict[str, list[Decimal]] = {}
    since_session: Decimal = Decimal(0)
    fallen: Decimal = Decimal(0)
    realised_here: Decimal = Decimal(0)


Row = tuple[object, ...]
"""A row to be written, in the order of the columns of its query."""


class RoutedOrder(Struct, frozen=True):
    """An order whose intent is committed and that now goes to the providers.

    `aimed_at` is the best price that was seen when it was decided; `asked_last` are providers who
    have rejected what it repeats.
    """

    account_id: str
    order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    limit_price: Decimal | None
    is_all_or_nothing: bool
    version: int
    aimed_at: Decimal | None = None
    asked_last: frozenset[str] = frozenset()


class Rejections(Struct, frozen=True):
    """Rounds in a row in which every provider asked has rejected a stop-out, the last one, and who.

    Kept by account and symbol.
    """

    count: int = 0
    last_at: datetime = datetime.min.replace(tzinfo=UTC)
    providers: frozenset[str] = frozenset()


class HedgeStatus(StrEnum):
    """Whether a provider's last word is awaited, and what came of it."""

    OPEN = "open"
    FILLED = "filled"
    PARTIALLY_FILLED = "partially_filled"
    REJECTED = "rejected"


class Hedge(Struct, kw_only=True):
    """A trade of the house with providers that offsets its exposure."""

    id: str
    symbol: str
    side: Side
    quantity: Decimal
    filled_quantity: Decimal = Decimal(0)
    status: HedgeStatus = HedgeStatus.OPEN
    engine_id: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether a provider's last word is awaited."""
        return self.status is HedgeStatus.OPEN


class HedgedPosition(Struct, kw_only=True):
    """The net of all hedges in a symbol, at their average price; `seq` counts their fills."""

    price: Decimal
    quantity: Decimal = Decimal(0)
    seq: int = 0


@dataclass(slots=True)
class Changes:
    """Everything that a batch writes beside the journal of money, and what must happen after.

    `amended` are positions that an amendment holds for which did not before.
    `going_on` says of orders and hedges, by id, whether the next provider may be asked; `exposures`
    what it all does to the house's exposure, by symbol.
    """

    orders: dict[str, OrderState] = field(default_factory=dict)
    events: list[Row] = field(default_factory=list)
    fills: list[Row] = field(default_factory=list)
    close_bys: list[Row] = field(default_factory=list)
    amendments: list[Row] = field(default_factory=list)
    amended: dict[str, PositionState] = field(default_factory=dict)
    rollovers: list[Row] = field(default_factory=list)
    trades: list[Row] = field(default_factory=list)
    opening_rates: list[Row] = field(default_factory=list)
    positions: dict[str, PositionState] = field(default_factory=dict)
    answers: list[tuple[str, ProviderRequest, ProviderAnswer]] = field(default_factory=list)
    unsolicited: list[Row] = field(default_factory=list)
    replacements: list[Row] = field(default_factory=list)
    breaches: list[Row] = field(default_factory=list)
    alerts: list[Row] = field(default_factory=list)
    priced_again: list[str] = field(default_factory=list)
    not_stuck: list[str] = field(default_factory=list)
    margin_calls: list[Row] = field(default_factory=list)
    resolved_calls: list[Row] = field(default_factory=list)
    stop_outs: list[Row] = field(default_factory=list)
    routed: list[RoutedOrder] = field(default_factory=list)
    going_on: dict[str, bool] = field(default_factory=dict)
    routing_decisions: list[Row] = field(default_factory=list)
    rankings: list[Row] = field(default_factory=list)
    profiles: dict[str, ClientProfile] = field(default_factory=dict)
    client_measures: list[Row] = field(default_factory=list)
    hedges: dict[str, Hedge] = field(default_factory=dict)
    hedges_opened: list[Row] = field(default_factory=list)
    hedge_fills: list[Row] = field(default_factory=list)
    hedge_answers: list[tuple[str, ProviderRequest, ProviderAnswer]] = field(default_factory=list)
    hedged: list[tuple[str, Decimal]] = field(default_factory=list)
    exposures: dict[str, Decimal] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Desk:
    """One batch at work: the market it deals on, the rows it has locked, what it will write.

    `orders_by_key` finds what was submitted before by (account_id, client_order_id);
    `entries_before` what money was moved before by (transaction_id, operation);
    `executions_before` the orders, hedges or requests of what providers dealt before, by
    (provider, name): for more than one only where two batches have named theirs at once;
    `executions_renamed` which (provider, ExecID, request) are of a later request of their order;
    `replacements_before` the order, quantity, limit and stop of each replacement by its key;
    `replacements_waiting` those that wait for a provider, by order, `keys_taken` the keys of them
    that have been given to something else since;
    `close_bys_before` the pairings of positions by their key, `amendments_before` the amendments by
    account and key; `wallets` are locked wallets by
    (user_id, currency); `reference` is as new as the batch. Where orders may be divided,
    `exposures` are the house's as committed, `batch_exposures` what the first `fills_counted` fills
    of this batch add to them, and `profiles` what is known of the clients, by user. `opened_at` are
    the openings of positions whose closing was measured.
    `hedges` by id, `hedged_positions` and the exposures `house_nets` by symbol are for the house's
    commands.
    `rolled` is the day up to which accounts owe no swap, `unrolled` are those that may owe some,
    and `unvalued` the symbols by account whose swap waits for a price or rate; `stuck` are those of
    whom people were told that they cannot be stopped out, read with accounts that are looked at
    aside.
    `histories` are there for the accounts under a limit that asks about the past, and count in the
    first `trades_counted` trades of the batch.
    `engine_id` is the engine whose batch it is, None without providers; `looked_at` are accounts
    that it wants to know anew. `last_prices` are what orders were asked by that may come to rest
    without a price of now, by id; `rejections` of stop-outs are by account and symbol.
    """

    market: Market
    reference: Reference
    accounts: dict[str, AccountState]
    orders: dict[str, OrderState]
    orders_by_key: dict[tuple[str, str], OrderState]
    wallets: Mapping[tuple[str, str], Holder]
    entries_before: dict[tuple[str, str], tuple[str, Decimal]]
    executions_before: dict[tuple[str, str], set[str | None]] = field(default_factory=dict)
    executions_renamed: set[tuple[str, str, str]] = field(default_factory=set)
    replacements_before: dict[
        tuple[str, str], tuple[str, Decimal, Decimal | None, Decimal | None]
    ] = field(default_factory=dict)
    replacements_waiting: dict[str, ReplaceOrder] = field(default_factory=dict)
    keys_taken: set[tuple[str, str]] = field(default_factory=set)
    close_bys_before: dict[str, tuple[CloseBy, CloseByReport]] = field(default_factory=dict)
    amendments_before: dict[tuple[str, str], tuple[AmendPosition, AmendReport]] = field(
        default_factory=dict
    )
    rolling: Rolling = NO_ROLLING
    rolled: dict[str, date] = field(default_factory=dict)
    unrolled: set[str] = field(default_factory=set)
    stuck: set[str] = field(default_factory=set)
    unvalued: set[tuple[str, str]] = field(default_factory=set)
    decided_at: datetime | None = None
    journal: Journal = field(default_factory=Journal)
    changes: Changes = field(default_factory=Changes)
    exposures: Exposures = field(default_factory=Exposures)
    batch_exposures: Exposures = field(default_factory=Exposures)
    fills_counted: int = 0
    profiles: dict[str, ClientProfile] = field(default_factory=dict)
    opened_at: Mapping[str, datetime] = field(default_factory=dict)
    histories: dict[str, History] = field(default_factory=dict)
    trades_counted: int = 0
    hedges: dict[str, Hedge] = field(default_factory=dict)
    hedged_positions: dict[str, HedgedPosition] = field(default_factory=dict)
    house_nets: dict[str, Decimal] = field(default_factory=dict)
    engine_id: str | None = None
    looked_at: set[str] = field(default_factory=set)
    last_prices: dict[str, LastPrices] = field(default_factory=dict)
    rejections: dict[tuple[str, str], Rejections] = field(default_factory=dict)

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """Return the instruments by symbol."""
        return self.reference.instruments

    @property
    def providers(self) -> Mapping[str, str]:
        """Return the providers' ids by code."""
        return self.reference.provider_ids

    @property
    def house(self) -> Mapping[str, Mapping[HouseCode, str]]:
        """Return the house's holders by currency and code."""
        return self.reference.house
