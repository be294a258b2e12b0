"""The rows that a replay reads, as the database gave them, and what it finds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple


class Account(NamedTuple):
    """An account: its currency with its minor units, and how fills make its positions."""

    id: str
    currency: str
    minor_units: int
    position_mode: str


class Order(NamedTuple):
    """An order as it stands; `position_id` is the position that it names."""

    id: str
    account_id: str
    client_order_id: str
    symbol: str
    side: str
    origin: str
    quantity: Decimal
    filled_quantity: Decimal
    remaining_quantity: Decimal
    average_price: Decimal | None
    status: str
    is_routed: bool
    version: int
    is_reduce_only: bool
    position_id: str | None
    is_post_only: bool = False
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None


class Event(NamedTuple):
    """One step of an order; one that changes the order's quantity or a price says so."""

    order_id: str
    seq: int
    event_type: str
    from_status: str | None
    to_status: str
    quantity: Decimal | None
    price: Decimal | None
    new_quantity: Decimal | None = None
    old_quantity: Decimal | None = None
    new_limit: Decimal | None = None
    old_limit: Decimal | None = None
    new_stop: Decimal | None = None
    old_stop: Decimal | None = None


class Replacement(NamedTuple):
    """A key under which a client has replaced an order, and the event that says so."""

    account_id: str
    key: str
    order_id: str
    order_version: int
    quantity: Decimal


class Fill(NamedTuple):
    """One execution of an order; `execution_id` is the provider's, if it dealt itself."""

    id: str
    order_id: str
    quantity: Decimal
    price: Decimal
    provider: str
    execution_id: str | None
    is_maker: bool = False


class Trade(NamedTuple):
    """What a fill or a pairing did to one position, and how the position stood after it.

    One that reverses names the fill that is taken back, and is its own cause.
    """

    id: str
    account_id: str
    fill_id: str | None
    close_by_id: str | None
    position_id: str
    position_version: int
    effect: str
    quantity: Decimal
    price: Decimal
    conversion_rate: Decimal
    realised_pnl: Decimal
    commission: Decimal
    position_quantity: Decimal
    position_average_price: Decimal
    position_realised_pnl: Decimal

    @property
    def cause(self) -> str:
        """Return the id of the fill or pairing behind it, or its own where it reverses."""
        return self.id if self.effect == "reverse" else self.fill_id or self.close_by_id or ""


class Position(NamedTuple):
    """A position as it stands."""

    id: str
    account_id: str
    symbol: str
    position_mode: str
    quantity: Decimal
    average_price: Decimal
    realised_pnl: Decimal
    is_open: bool
    version: int
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None


class Amendment(NamedTuple):
    """What a client has changed of a position's levels, by key; `id` is ordered beside orders'.

    In FIFO it has a row for each position of the symbol, of which the client has named one.
    """

    id: str
    account_id: str
    key: str
    position_id: str
    position_version: int
    is_named: bool
    sets_stop_loss: bool
    sets_take_profit: bool
    stop_loss_before: Decimal | None
    take_profit_before: Decimal | None
    stop_loss: Decimal | None
    take_profit: Decimal | None


class CloseBy(NamedTuple):
    """A pairing of two opposite positions; the first is closed at the second's average price."""

    id: str
    account_id: str
    position_id: str
    by_position_id: str
    quantity: Decimal
    price: Decimal


class Reversal(NamedTuple):
    """What was given back with a trade that takes back another, of a busted fill."""

    trade_id: str
    reversing_id: str
    commission: Decimal
    adjustment: Decimal


class Adjustment(NamedTuple):
    """What a trade was given or charged for a corrected price; `id` is its ledger transaction."""

    id: str
    trade_id: str
    price_before: Decimal
    price: Decimal
    amount: Decimal


class Settlement(NamedTuple):
    """What was decided about a bust or a correction, and how many rows it has moved."""

    execution_id: str
    settlement: str
    reversals: int
    adjustments: int


class Entry(NamedTuple):
    """A row of balance_ledger."""

    holder_id: str
    version: int
    transaction_id: str
    operation: str
    effect: str
    amount: Decimal
    available_after: Decimal
    reserved_after: Decimal


class Transfer(NamedTuple):
    """One movement of money."""

    transaction_id: str
    operation: str
    debit_holder_id: str
    credit_holder_id: str
    amount: Decimal


class Balance(NamedTuple):
    """What a wallet or an account holds."""

    holder_id: str
    available: Decimal
    reserved: Decimal


class SetAside(NamedTuple):
    """An execution that fitted no order."""

    provider: str
    execution_id: str
    quantity: Decimal
    reason: str


class Rollover(NamedTuple):
    """The swap of a position for one day, with its terms in points of `tick`, or the fee instead.

    The fee is money for a lot of `lot` and a day; nights `in_grace` cost none. `trade_id` is a
    trade of which a provider told after the day, or that takes back another: the row is what that
    changes.
    """

    id: str
    position_id: str
    rollover_on: date
    trade_id: str | None
    days: int
    quantity: Decimal
    conversion_rate: Decimal
    amount: Decimal
    long_rate: Decimal
    short_rate: Decimal
    tick: Decimal
    minor_units: int
    operation: str = "swap"
    fee: Decimal = Decimal(0)
    lot: Decimal = Decimal(1)
    in_grace: bool = False


class Hedge(NamedTuple):
    """A trade of the house with providers, as it stands."""

    id: str
    symbol: str
    side: str
    quantity: Decimal
    filled_quantity: Decimal
    status: str


class HedgeFill(NamedTuple):
    """An execution of a hedge, and the house's position with providers after it."""

    id: str
    hedge_id: str
    symbol: str
    seq: int
    provider: str
    execution_id: str
    quantity: Decimal
    price: Decimal
    realised_pnl: Decimal
    position_quantity: Decimal
    position_average_price: Decimal
    minor_units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything that is replayed; events are by order and sequence, entries by holder.

    The fills of hedges are by symbol and sequence.
    """

    accounts: Sequence[Account] = ()
    orders: Sequence[Order] = ()
    events: Sequence[Event] = ()
    replacements: Sequence[Replacement] = ()
    fills: Sequence[Fill] = ()
    trades: Sequence[Trade] = ()
    positions: Sequence[Position] = ()
    close_bys: Sequence[CloseBy] = ()
    amendments: Sequence[Amendment] = ()
    reversals: Sequence[Reversal] = ()
    adjustments: Sequence[Adjustment] = ()
    settlements: Sequence[Settlement] = ()
    entries: Sequence[Entry] = ()
    transfers: Sequence[Transfer] = ()
    balances: Sequence[Balance] = ()
    set_aside: Sequence[SetAside] = ()
    rollovers: Sequence[Rollover] = ()
    hedges: Sequence[Hedge] = ()
    hedge_fills: Sequence[HedgeFill] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of one row that is not what its replay says."""

    row: str
    id: str
    field: str
    recorded: object
    replayed: object

    def __str__(self) -> str:
        return (
            f'{self.row} "{self.id}": {self.field} is {_shown(self.recorded)}, '
            f"its replay says {_shown(self.replayed)}"
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """Compares one row with its replay, field by field."""

    row: str
    id: str
    fields: Mapping[str, tuple[object, object]] = field(default_factory=dict)

    def differences(self) -> Iterator[Difference]:
        """Yield each field whose recorded value is not the replayed one."""
        for name, (recorded, replayed) in self.fields.items():
            if recorded != replayed:
                yield Difference(self.row, self.id, name, recorded, replayed)


def _shown(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return "nothing" if value is None else str(value)
