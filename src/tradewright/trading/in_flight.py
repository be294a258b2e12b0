"""What an account's orders with providers may still do to it, counted before they are answered.

Such an order may deal as a whole at any moment, and it may never deal. So what it would open counts
as open, at what it would deal at now, and its commission as paid; what it would close frees
nothing, and no other order can close it too. `facts`, `limits` and `decide` ask here. An account
in book B has no such orders, and costs nothing.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType

from msgspec import Struct

from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.model import Side
from tradewright.risk.margin import Exposure
from tradewright.routing.model import Book
from tradewright.trading.groups import PositionMode
from tradewright.trading.opening_rates import opening_rate
from tradewright.trading.positions import charge, match_fill
from tradewright.trading.rules import dealing_price
from tradewright.trading.state import AccountState, Desk, OrderState

_NOTHING = Decimal(0)


class InFlight(Struct, frozen=True):
    """What would come of all orders with providers, in quantities that carry their sign.

    `closes` by position, `opens` by symbol and side; `opening_count` orders would open something.
    """

    closes: Mapping[str, Decimal] = MappingProxyType({})
    opens: Mapping[tuple[str, Side], Decimal] = MappingProxyType({})
    opening_count: int = 0

    def quantity(self, account: AccountState, symbol: str, side: Side) -> Decimal:
        """Return what one side would deal in a symbol, signed, closing and opening."""
        quantity = self.opens.get((symbol, side), _NOTHING)
        for position in account.positions.get(symbol, ()):
            closes = self.closes.get(position.id, _NOTHING)
            if closes * side.sign > 0:
                quantity += closes
        return quantity

    def quantity_open(self, account: AccountState, symbol: str) -> Decimal:
        """Return what would be open in a symbol if only the side dealt that leaves more open."""
        held = account.held(symbol)
        after = [held + self.quantity(account, symbol, side) for side in Side]
        return max(after, key=abs)

    @property
    def symbols(self) -> list[str]:
        """Return the symbols in which something would be opened, each once."""
        return list(dict.fromkeys(symbol for symbol, _ in self.opens))


NOTHING_IN_FLIGHT = InFlight()


def in_flight(account: AccountState) -> InFlight:
    """Return what the account's orders with providers would do, those of this batch included."""
    orders = routed_orders(account)
    if not orders:
        return NOTHING_IN_FLIGHT
    closes: dict[str, Decimal] = {}
    opens: dict[tuple[str, Side], Decimal] = {}
    opening_count = 0
    for order in orders:
        matched = match_fill(account, order, order.remaining_quantity * order.side.sign, closes)
        for position, part in matched.closes:
            closes[position.id] = closes.get(position.id, _NOTHING) + part
        if matched.opens and not order.is_reduce_only:
            key = order.instrument.symbol, order.side
            opens[key] = opens.get(key, _NOTHING) + matched.opens
            opening_count += 1
    return InFlight(closes, opens, opening_count)


def routed_orders(account: AccountState) -> list[OrderState]:
    """Return the account's orders whose provider has not answered."""
    if account.book is Book.B:
        return []
    return [one for one in account.live_orders.values() if one.is_routed and one.remaining_quantity]


def flying_exposures(
    desk: Desk, account: AccountState, flight: InFlight, order: OrderState | None = None
) -> list[Exposure] | None:
    """Return what would be opened, beside an order that is asked about; None without a price.

    Where positions hedge each other, both sides of a symbol bind margin. Elsewhere only one can be
    open: the larger, or the order's own, as the other was tested when it was taken.
    """
    exposures: list[Exposure] = []
    if not flight.opens:
        return exposures
    for symbol in flight.symbols:
        top = desk.market.top(symbol)
        if top is None:
            return None
        exposures += [
            _opened(desk, account, (desk.instruments[symbol], opened), dealing_price(top, side))
            for side in _sides(account, flight, symbol, order)
            if (opened := flight.opens.get((symbol, side)))
        ]
    return exposures


def _opened(
    desk: Desk, account: AccountState, opened: tuple[Instrument, Decimal], price: Decimal
) -> Exposure:
    """Return a quantity of an instrument as if it had been opened at a price just now."""
    rate = desk.market.rate(opened[0].quote_currency, account.profile.currency)
    worth = None if rate is None else opening_rate(account, price, rate.mid)
    return Exposure(*opened, price, worth)


def _sides(
    account: AccountState, flight: InFlight, symbol: str, order: OrderState | None
) -> Iterable[Side]:
    """Return the sides of a symbol that bind margin together."""
    if account.group.position_mode is PositionMode.HEDGING:
        return Side
    if order is not None and order.instrument.symbol == symbol:
        return (order.side,)
    return (max(Side, key=lambda side: abs(flight.opens.get((symbol, side), _NOTHING))),)


def flying_charges(desk: Desk, account: AccountState) -> Decimal:
    """Return what the orders with providers would cost, before rounding.

    Raises:
        StateError: ORDER_RATE_MISSING.

    """
    return sum(
        (
            charge(desk, account, order.instrument, order.remaining_quantity * order.side.sign)
            for order in routed_orders(account)
        ),
        _NOTHING,
    )
