"""How a batch decides what clients ask of orders: submit, cancel, trigger, close.

Each function takes the desk and one command, changes the rows of the batch in memory, and
returns its report; it raises where the command means nothing, and then nothing is changed.
"""

from decimal import Decimal

from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.liquidity.board import Top
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.market import Rate
from tradewright.risk.checks import first_denial
from tradewright.risk.margin import Exposure, margin_state
from tradewright.risk.model import OrderFacts
from tradewright.routing.rules import Book, allocate
from tradewright.trading import orders, rules
from tradewright.trading.model import (
    CancelOrder,
    ClosePosition,
    EventType,
    NothingDone,
    OrderReport,
    OrderType,
    Origin,
    SubmitOrder,
    TimeInForce,
    TriggerOrder,
)
from tradewright.trading.positions import commission, require_rates
from tradewright.trading.state import AccountState, Desk, OrderState, PositionState


def submit(desk: Desk, account: AccountState, command: SubmitOrder) -> OrderReport:
    """Take, deny, rest or deal a client's new order.

    Raises:
        InputError: INSTRUMENT_UNKNOWN, ORDER_DUPLICATE_DIFFERS, and what
            `rules.require_well_formed` raises.

    """
    instrument = _instrument(desk, command.symbol)
    rules.require_well_formed(command, instrument)
    key = (command.account_id, command.client_order_id)
    first = desk.orders_by_key.get(key)
    if first is not None:
        return _replay(first, command)
    order = orders.order_from_command(command, account, instrument)
    desk.orders_by_key[key] = order
    rests = _rests(order, desk.market.top(instrument.symbol))
    denial = first_denial(_facts(desk, account, order, rests=rests))
    if denial is not None:
        orders.deny(desk, order, denial)
        return order.report()
    orders.accept(desk, account, order)
    if not rests:
        if order.order_type is OrderType.STOP:
            orders.record(desk, order, EventType.TRIGGERED, order.status, "house")
        orders.execute(desk, account, order)
    return order.report()


def cancel(desk: Desk, account: AccountState, command: CancelOrder) -> OrderReport:
    """Cancel a live order.

    Raises:
        InputError: ORDER_UNKNOWN.
        StateError: ORDER_ENDED (FIX CxlRejReason 0, too late), ORDER_IN_FLIGHT.

    """
    order = desk.orders_by_key.get((account.id, command.client_order_id))
    if order is None:
        raise InputError(
            ErrorCode.ORDER_UNKNOWN,
            f'order "{command.client_order_id}" does not exist in account "{account.id}"',
            why="Orders are found by the client order id under which they were submitted.",
            hint="Check the client order id and the account.",
        )
    if not order.status.is_live:
        raise StateError(
            ErrorCode.ORDER_ENDED,
            f'order "{order.client_order_id}" is {order.status} and cannot be canceled',
            why="An order that has ended never changes.",
            hint="Read the order; to undo a fill, trade the other way.",
        )
    if order.is_routed:
        raise StateError(
            ErrorCode.ORDER_IN_FLIGHT,
            f'order "{order.client_order_id}" could not be canceled while a provider decides on it',
            why="A fill that is on its way wins over a cancel.",
            hint="Try again when the provider has answered.",
        )
    orders.end(desk, order, None, None)
    return order.report()


def trigger(desk: Desk, account: AccountState, command: TriggerOrder) -> OrderReport | NothingDone:
    """Deal a resting order whose price has been reached, if that still holds."""
    order = desk.orders.get(command.order_id)
    if order is None or not order.status.is_live or order.is_routed:
        return NothingDone("the order no longer rests")
    top = desk.market.top(order.instrument.symbol)
    if top is None or _rests(order, top):
        return NothingDone("the price is no longer there")
    denial = first_denial(_facts(desk, account, order, rests=False))
    if denial is not None:
        orders.deny(desk, order, denial)
        return order.report()
    is_stop = order.order_type is OrderType.STOP
    if is_stop or order.book is Book.A:
        event = EventType.TRIGGERED if is_stop else EventType.RESTATED
        seen = desk.market.describe(order.instrument.symbol)
        orders.record(desk, order, event, order.status, "house", details=seen)
    orders.execute(desk, account, order)
    return order.report()


def close_position(
    desk: Desk, account: AccountState, command: ClosePosition
) -> OrderReport | NothingDone:
    """Close an open position whole.

    Raises:
        InputError: POSITION_UNKNOWN, when a client names a position that is not open.
        StateError: ORDER_PRICE_STALE, when a client's close has no price to deal on;
            ORDER_RATE_MISSING, when its result cannot be converted.

    """
    position = account.positions.get(command.symbol)
    if position is None or position.id != command.position_id:
        if command.origin is not Origin.CLIENT:
            return NothingDone("the position is no longer open")
        raise InputError(
            ErrorCode.POSITION_UNKNOWN,
            f'position "{command.position_id}" is not open in account "{account.id}"',
            why="A position is closed once, and a flip closes one position and opens another.",
            hint="Read the account's open positions.",
        )
    if is_being_closed(account, position):
        return NothingDone("the position is being closed")
    top = desk.market.top(command.symbol)
    if top is None:
        if command.origin is not Origin.CLIENT:
            return NothingDone("no fresh price")
        raise StateError(
            ErrorCode.ORDER_PRICE_STALE,
            f'position "{position.id}" could not be closed without a fresh price',
            why=f'No provider has a quote for "{command.symbol}" that is fresh enough.',
            hint="Try again when quotes arrive.",
        )
    if not _protection_holds(position, command.origin, top):
        return NothingDone("the price is no longer there")
    require_rates(desk, account, position.instrument)
    return close(desk, account, position, command.origin).report()


def close(desk: Desk, account: AccountState, position: PositionState, origin: Origin) -> OrderState:
    """Submit and execute a market order that closes the position; the price has been checked."""
    order = orders.closing_order(account, position, origin)
    orders.accept(desk, account, order)
    orders.execute(desk, account, order)
    return order


def is_being_closed(account: AccountState, position: PositionState) -> bool:
    """Return whether a closing order for the position is with a provider."""
    return any(
        order.is_routed
        and order.origin is not Origin.CLIENT
        and order.instrument.symbol == position.instrument.symbol
        for order in account.live_orders.values()
    )


def _instrument(desk: Desk, symbol: str) -> Instrument:
    instrument = desk.instruments.get(symbol)
    if instrument is None:
        raise InputError(
            ErrorCode.INSTRUMENT_UNKNOWN,
            f'unknown instrument "{symbol}"',
            why="An order names an instrument of this broker by its symbol.",
            hint=f"Use one of {', '.join(sorted(desk.instruments))}.",
            facts={"symbol": symbol},
        )
    return instrument


def _replay(first: OrderState, command: SubmitOrder) -> OrderReport:
    """Answer a repeated submission with the first order; another order under its key is refused."""
    before = (
        first.instrument.symbol,
        first.side,
        first.order_type,
        first.time_in_force,
        first.quantity,
        first.limit_price,
        first.stop_price,
        first.stop_loss,
        first.take_profit,
    )
    now = (
        command.symbol,
        command.side,
        command.order_type,
        command.time_in_force,
        command.quantity,
        command.limit_price,
        command.stop_price,
        command.stop_loss,
        command.take_profit,
    )
    if before != now:
        raise InputError(
            ErrorCode.ORDER_DUPLICATE_DIFFERS,
            f'order "{command.client_order_id}" was submitted before with other contents',
            why=f"The first order under this key is a {first.side} of {first.quantity} "
            f"{first.instrument.symbol} (FIX OrdRejReason 6).",
            hint="Use a new client order id for a new order.",
            facts={"order_id": first.id},
        )
    return first.report(is_replay=True)


def _rests(order: OrderState, top: Top | None) -> bool:
    """Return whether the order waits: a stop not reached, or a resting limit not met."""
    if order.order_type is OrderType.STOP and order.stop_price is not None:
        return top is None or not rules.stop_is_reached(order.side, order.stop_price, top)
    if order.time_in_force is TimeInForce.GTC and order.limit_price is not None:
        return top is None or not rules.limit_is_met(order.side, order.limit_price, top)
    return False


def _facts(desk: Desk, account: AccountState, order: OrderState, *, rests: bool) -> OrderFacts:
    """Gather what the checks ask about an order."""
    instrument, side = order.instrument, order.side
    top = desk.market.top(instrument.symbol)
    price = None if top is None else rules.dealing_price(top, side)
    signed = order.remaining_quantity * side.sign
    position = account.positions.get(instrument.symbol)
    held = position.quantity if position is not None else Decimal(0)
    rates = _rates(desk, account, instrument)
    return OrderFacts(
        account_is_active=account.is_active,
        instrument=instrument,
        side=side,
        quantity=order.quantity,
        reduces=held * signed < 0 and abs(signed) <= abs(held),
        is_resting=rests,
        reference_price=_protected_price(order, price) if rests else price,
        stop_loss=order.stop_loss,
        take_profit=order.take_profit,
        rates=rates,
        free_margin_after=lambda: _free_margin_after(desk, account, order, rates, rests=rests),
    )


def _expected_price(desk: Desk, order: OrderState, best: Decimal) -> Decimal:
    """Return what the order would deal at on average, walking the levels as `execute` will."""
    levels = desk.market.levels(order.instrument.symbol, order.side)
    parts = allocate(levels, order.side, order.remaining_quantity, order.limit_price)
    if not parts:
        return best
    if len(parts) == 1:
        return parts[0].level.price
    quantity = sum((part.quantity for part in parts), Decimal(0))
    return sum((part.quantity * part.level.price for part in parts), Decimal(0)) / quantity


def _protected_price(order: OrderState, price: Decimal | None) -> Decimal | None:
    """Return the price that a resting order's protections must stand around: its own."""
    return order.limit_price or order.stop_price or price


def _rates(desk: Desk, account: AccountState, instrument: Instrument) -> tuple[Rate, Rate] | None:
    """Return quote and base rates to the account's currency; None when the account has no value."""
    market, currency = desk.market, account.profile.currency
    quote_rate = market.rate(instrument.quote_currency, currency)
    base_rate = market.rate(instrument.base_currency, currency)
    if quote_rate is None or base_rate is None:
        return None
    for position in account.open_positions:
        held = position.instrument
        if (
            market.top(held.symbol) is None
            or market.rate(held.quote_currency, currency) is None
            or market.rate(held.base_currency, currency) is None
        ):
            return None
    return quote_rate, base_rate


def _free_margin_after(
    desk: Desk,
    account: AccountState,
    order: OrderState,
    rates: tuple[Rate, Rate] | None,
    *,
    rests: bool,
) -> Decimal:
    """Return the free margin that the account would have after dealing the order."""
    symbol = order.instrument.symbol
    top = desk.market.top(symbol)
    if top is None or rates is None:
        raise AssertionError("asked only after the checks for price and rates")
    price = rules.dealing_price(top, order.side)
    if not rests:
        price = _expected_price(desk, order, price)
    signed = order.remaining_quantity * order.side.sign
    exposures = [
        position.exposure()
        for position in account.open_positions
        if position.instrument.symbol != symbol
    ]
    cost = commission(signed, order, rates[1])
    cost -= _add_after(exposures, account.positions.get(symbol), order, (signed, price), rates[0])
    state = margin_state(account.profile, account.holder.available - cost, exposures, desk.market)
    if state is None:
        raise AssertionError("asked only after the check for rates")
    return state.free


def _add_after(
    exposures: list[Exposure],
    position: PositionState | None,
    order: OrderState,
    dealt: tuple[Decimal, Decimal],
    quote_rate: Rate,
) -> Decimal:
    """Add the exposure in the order's symbol after it has dealt; return what it would realise."""
    signed, price = dealt
    if position is None:
        exposures.append(Exposure(order.instrument, signed, price))
        return Decimal(0)
    split = rules.split_fill(position.quantity, signed)
    left = position.quantity + split.closes
    realised = (position.average_price - price) * split.closes
    if split.opens and left:
        average = rules.average_price_after(left, position.average_price, split.opens, price)
        exposures.append(Exposure(order.instrument, left + split.opens, average))
    elif split.opens:
        exposures.append(Exposure(order.instrument, split.opens, price))
    elif left:
        exposures.append(Exposure(order.instrument, left, position.average_price))
    return realised * (quote_rate.bid if realised >= 0 else quote_rate.ask)


def _protection_holds(position: PositionState, origin: Origin, top: Top) -> bool:
    """Return whether the protection that asked for the close is reached at this price."""
    if origin is Origin.STOP_LOSS:
        level = position.stop_loss
        return level is not None and rules.stop_loss_is_reached(position.quantity, level, top)
    if origin is Origin.TAKE_PROFIT:
        level = position.take_profit
        return level is not None and rules.take_profit_is_reached(position.quantity, level, top)
    return True
