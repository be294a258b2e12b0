"""What an order would make of each figure that may be limited, in the account's currency.

One function for each kind of `risk.limits.LimitKind`; each gives None when a price or rate for it
is missing. Exposure is the quantity that is open in a symbol, long and short netted, at the middle
rate of its base currency.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType

from msgspec import Struct

from tradewright.liquidity.instrument import Instrument
from tradewright.risk.limits import Limit, LimitFacts, LimitKind
from tradewright.risk.margin import MarginState, margin_state
from tradewright.routing.rules import allocate
from tradewright.trading import rules
from tradewright.trading.history import count_message, usual_quantity
from tradewright.trading.in_flight import in_flight
from tradewright.trading.model import TimeInForce
from tradewright.trading.positions import match_fill
from tradewright.trading.state import AccountState, Desk, History, OrderState

BPS = Decimal(10_000)
EQUITY_MIN = Decimal("0.01")
"""What an account without equity is taken to be worth, so that its leverage is a number."""

_NOTHING = Decimal(0)


class Asked(Struct, frozen=True):
    """One order of one account at the desk, before anything has happened to it."""

    desk: Desk
    account: AccountState
    order: OrderState
    rests: bool

    @property
    def signed(self) -> Decimal:
        """Return what may still be dealt, signed."""
        return self.order.remaining_quantity * self.order.side.sign

    @property
    def history(self) -> History:
        """Return what was read of the account's past."""
        return self.desk.histories.get(self.account.id) or History()

    def rate(self, currency: str) -> Decimal | None:
        """Return the middle rate from a currency to the account's."""
        rate = self.desk.market.rate(currency, self.account.profile.currency)
        return None if rate is None else rate.mid

    def price(self) -> Decimal | None:
        """Return the order's own price while it rests, else what it would deal at on average."""
        if self.rests:
            return self.order.limit_price or self.order.stop_price
        return expected_price(self.desk, self.order)


def limit_facts(asked: Asked) -> LimitFacts | None:
    """Return what the checks ask about an order that a limit applies to; None when none does."""
    account, order = asked.account, asked.order
    limits = asked.desk.reference.limits.of(account.id, account.group.code, order.instrument.symbol)
    if not limits:
        return None
    is_new = not order.version
    if is_new and LimitKind.MESSAGE_RATE in limits:
        count_message(asked.desk, account.id)
    return LimitFacts(
        limits=limits,
        is_new=is_new,
        measure=lambda kind: _MEASURES[kind](asked),
        value_of=lambda limit: _value_of(asked, limit),
    )


def expected_price(desk: Desk, order: OrderState) -> Decimal | None:
    """Return what the order would deal at on average, walking the levels as `execute` will."""
    levels = desk.market.levels(order.instrument.symbol, order.side)
    parts = allocate(levels, order.side, order.remaining_quantity, order.limit_price)
    if not parts:
        top = desk.market.top(order.instrument.symbol)
        return None if top is None else rules.dealing_price(top, order.side)
    if len(parts) == 1:
        return parts[0].level.price
    quantity = sum((part.quantity for part in parts), _NOTHING)
    return sum((part.quantity * part.level.price for part in parts), _NOTHING) / quantity


def _value_of(asked: Asked, limit: Limit) -> Decimal | None:
    if limit.currency is None:
        return limit.value
    rate = asked.rate(limit.currency)
    return None if rate is None else limit.value * rate


def _price_collar(asked: Asked) -> Decimal | None:
    top = asked.desk.market.top(asked.order.instrument.symbol)
    price = asked.order.limit_price or asked.order.stop_price or asked.price()
    if top is None or price is None:
        return None
    mid = (top.bid + top.ask) / 2
    return abs(price - mid) / mid * BPS


def _order_quantity(asked: Asked) -> Decimal:
    return asked.order.quantity


def _order_value(asked: Asked) -> Decimal | None:
    rate, price = asked.rate(asked.order.instrument.quote_currency), asked.price()
    return None if rate is None or price is None else asked.order.quantity * price * rate


def _order_size(asked: Asked) -> Decimal:
    usual = usual_quantity(asked.history, asked.order.instrument.symbol)
    return _NOTHING if not usual else asked.order.quantity / usual


def _open_orders(asked: Asked) -> Decimal:
    """Count the orders that rest, and this one if it may; a replacement adds none to them."""
    if asked.order.is_replaced:
        return _NOTHING
    if not asked.rests and asked.order.time_in_force in {TimeInForce.IOC, TimeInForce.FOK}:
        return _NOTHING
    others = [one for one in asked.account.live_orders.values() if one.status.is_live]
    return Decimal(len(others) + 1)


def _open_positions(asked: Asked) -> Decimal:
    """Count what is open and would not be closed, what orders in flight may open, and its own."""
    account, flight = asked.account, in_flight(asked.account)
    if account.nets:
        symbols = {*account.positions, *flight.symbols, asked.order.instrument.symbol}
        return Decimal(len(symbols))
    matched = match_fill(account, asked.order, asked.signed, flight.closes)
    closed = sum(not position.quantity + part for position, part in matched.closes)
    return Decimal(len(account.open_positions) - closed + flight.opening_count + 1)


def _quantities_after(asked: Asked) -> dict[str, tuple[Instrument, Decimal]]:
    """Return what would be open by symbol, long and short netted.

    Orders in flight deal on the order's side of its symbol, and elsewhere on that side which
    leaves more open.
    """
    account, order, flight = asked.account, asked.order, in_flight(asked.account)
    instrument = order.instrument
    flying = flight.quantity(account, instrument.symbol, order.side)
    quantity = account.held(instrument.symbol) + flying + asked.signed
    open_: dict[str, tuple[Instrument, Decimal]] = {instrument.symbol: (instrument, quantity)}
    for symbol in (*account.positions, *flight.symbols):
        if symbol not in open_:
            held = asked.desk.instruments[symbol]
            open_[symbol] = (held, flight.quantity_open(account, symbol))
    return open_


def _symbol_exposure(asked: Asked) -> Decimal | None:
    instrument = asked.order.instrument
    rate = asked.rate(instrument.base_currency)
    return None if rate is None else abs(_quantities_after(asked)[instrument.symbol][1]) * rate


def _total_exposure(asked: Asked) -> Decimal | None:
    total = _NOTHING
    for instrument, quantity in _quantities_after(asked).values():
        rate = asked.rate(instrument.base_currency)
        if rate is None:
            return None
        total += abs(quantity) * rate
    return total


def _state(asked: Asked) -> MarginState | None:
    account = asked.account
    exposures = [position.exposure() for position in account.open_positions]
    return margin_state(account.profile, account.holder.available, exposures, asked.desk.market)


def _leverage(asked: Asked) -> Decimal | None:
    total, state = _total_exposure(asked), _state(asked)
    return None if total is None or state is None else total / max(state.equity, EQUITY_MIN)


def _daily_loss(asked: Asked) -> Decimal | None:
    return _lost(asked, -asked.history.since_session)


def _drawdown(asked: Asked) -> Decimal | None:
    return _lost(asked, asked.history.fallen)


def _lost(asked: Asked, realised: Decimal) -> Decimal | None:
    """Return a realised loss with what this batch has realised and what is unrealised now."""
    state = _state(asked)
    if state is None:
        return None
    unrealised = state.own - asked.account.holder.available
    return max(_NOTHING, realised - _realised_here(asked) - unrealised)


def _realised_here(asked: Asked) -> Decimal:
    """Return what the trades of this batch have brought the account, less their commission."""
    desk = asked.desk
    for trade in desk.changes.trades[desk.trades_counted :]:
        history = desk.histories.setdefault(str(trade[2]), History())
        history.realised_here += Decimal(str(trade[9])) - Decimal(str(trade[10]))
    desk.trades_counted = len(desk.changes.trades)
    return asked.history.realised_here


def _message_rate(asked: Asked) -> Decimal:
    return Decimal(asked.history.messages)


def _net_open_position(asked: Asked) -> Decimal | None:
    """Return the larger of all long and all short currencies (shorthand method, Basel MAR40)."""
    nets: dict[str, Decimal] = {}
    for instrument, quantity in _quantities_after(asked).values():
        top = asked.desk.market.top(instrument.symbol)
        if top is None:
            return None
        base, quote = instrument.base_currency, instrument.quote_currency
        nets[base] = nets.get(base, _NOTHING) + quantity
        nets[quote] = nets.get(quote, _NOTHING) - quantity * (top.bid + top.ask) / 2
    long, short = _NOTHING, _NOTHING
    for currency, net in nets.items():
        if currency == asked.account.profile.currency:
            continue
        rate = asked.rate(currency)
        if rate is None:
            return None
        long, short = long + max(net, _NOTHING) * rate, short + max(-net, _NOTHING) * rate
    return max(long, short)


_MEASURES: Mapping[LimitKind, Callable[[Asked], Decimal | None]] = MappingProxyType(
    {
        LimitKind.PRICE_COLLAR: _price_collar,
        LimitKind.ORDER_QUANTITY: _order_quantity,
        LimitKind.ORDER_VALUE: _order_value,
        LimitKind.ORDER_SIZE: _order_size,
        LimitKind.OPEN_ORDERS: _open_orders,
        LimitKind.OPEN_POSITIONS: _open_positions,
        LimitKind.SYMBOL_EXPOSURE: _symbol_exposure,
        LimitKind.TOTAL_EXPOSURE: _total_exposure,
        LimitKind.DAILY_LOSS: _daily_loss,
        LimitKind.DRAWDOWN: _drawdown,
        LimitKind.LEVERAGE: _leverage,
        LimitKind.MESSAGE_RATE: _message_rate,
        LimitKind.NET_OPEN_POSITION: _net_open_position,
    }
)
