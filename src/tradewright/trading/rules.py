"""Pure rules of orders and positions: what is well formed, when it may deal, what a fill does.

Sources: FIX 4.4 for words and states; the dealer-market convention that a client buys at the ask
and sells at the bid; average price and realised P&L as in domain rules 1.3. No I/O and no state.
"""

from decimal import ROUND_HALF_EVEN, Decimal

from msgspec import Struct

from tradewright.core.errors import ErrorCode, InputError
from tradewright.core.money import AMOUNT_MAX
from tradewright.liquidity.board import Top
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.model import Side
from tradewright.trading.model import ClosePosition, OrderType, SubmitOrder, TimeInForce

PRICE_QUANTUM = Decimal("0.00000001")
"""Prices are kept to eight decimals; averages are rounded half to even to them."""

_KEY_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-")
_KEY_LENGTH_MAX = 64


def require_well_formed(command: SubmitOrder, instrument: Instrument) -> None:
    """Refuse an order that means nothing, before anything is locked or written.

    Raises:
        InputError: ORDER_KEY_MALFORMED, ORDER_QUANTITY_MALFORMED, ORDER_QUANTITY_OFF_STEP,
            ORDER_QUANTITY_OUT_OF_RANGE, ORDER_FIELDS_CONTRADICT, ORDER_PRICE_MALFORMED,
            ORDER_PRICE_OFF_TICK, ORDER_EXPIRY_MALFORMED.

    """
    _require_key(command.client_order_id)
    _require_quantity(command.quantity, instrument)
    _require_matching_fields(command)
    for name, price in (
        ("limit price", command.limit_price),
        ("stop price", command.stop_price),
        ("stop-loss", command.stop_loss),
        ("take-profit", command.take_profit),
    ):
        if price is not None:
            _require_price(name, price, instrument)
    if command.expires_at is not None and command.expires_at.tzinfo is None:
        raise InputError(
            ErrorCode.ORDER_EXPIRY_MALFORMED,
            f"the instant {command.expires_at} has no time zone",
            why="An order that is good till a date ends at one instant, wherever its client is.",
            hint="Give the instant with its offset, such as 2026-01-13T17:00:00-05:00.",
        )


def _require_key(key: str) -> None:
    if 0 < len(key) <= _KEY_LENGTH_MAX and _KEY_CHARACTERS.issuperset(key):
        return
    raise InputError(
        ErrorCode.ORDER_KEY_MALFORMED,
        f'client order id "{key[:80]}" is malformed',
        why=f"It has 1 to {_KEY_LENGTH_MAX} letters, digits, points, colons, underscores or "
        "hyphens.",
        hint="Give each order a key of your own in these characters.",
        facts={"client_order_id": key[:80]},
    )


def _require_quantity(quantity: Decimal, instrument: Instrument) -> None:
    _require_positive(quantity, instrument)
    if quantity < instrument.quantity_min:
        raise InputError(
            ErrorCode.ORDER_QUANTITY_OUT_OF_RANGE,
            f'quantity {quantity} of "{instrument.symbol}" is below the smallest, '
            f"{instrument.quantity_min:f}",
            why="Each instrument has a smallest quantity.",
            hint=f"Give {instrument.quantity_min:f} or more.",
            facts=_quantity_facts(quantity, instrument),
        )
    _require_on_step(quantity, instrument)


def _require_positive(quantity: Decimal, instrument: Instrument) -> None:
    if not quantity.is_finite() or quantity <= 0 or quantity > AMOUNT_MAX:
        raise InputError(
            ErrorCode.ORDER_QUANTITY_MALFORMED,
            f'quantity {quantity} of "{instrument.symbol}" is not a positive number',
            why="A quantity is a finite number of units of the base currency above zero; the side "
            "says buy or sell.",
            hint=f"Give a multiple of {instrument.quantity_step:f} from "
            f"{instrument.quantity_min:f} upwards.",
            facts=_quantity_facts(quantity, instrument),
        )


def _require_on_step(quantity: Decimal, instrument: Instrument) -> None:
    step = instrument.quantity_step
    if quantity % step:
        raise InputError(
            ErrorCode.ORDER_QUANTITY_OFF_STEP,
            f'quantity {quantity} of "{instrument.symbol}" is not a multiple of {step:f}',
            why="Quantities are never rounded for you.",
            hint=f"Give {quantity - quantity % step:f} or {quantity - quantity % step + step:f}.",
            facts=_quantity_facts(quantity, instrument),
        )


def _quantity_facts(quantity: Decimal, instrument: Instrument) -> dict[str, object]:
    return {"quantity": quantity, "symbol": instrument.symbol, "step": instrument.quantity_step}


def require_part(command: ClosePosition, held: Decimal, instrument: Instrument) -> Decimal:
    """Return how much of a position of `held` a client closes: all of it, or a part with a key.

    Raises:
        InputError: ORDER_KEY_MALFORMED, ORDER_QUANTITY_MALFORMED, ORDER_QUANTITY_OFF_STEP,
            POSITION_QUANTITY_EXCEEDED.

    """
    if command.client_order_id is not None or command.quantity is not None:
        _require_key(command.client_order_id or "")
    if command.quantity is None:
        return abs(held)
    _require_positive(command.quantity, instrument)
    _require_on_step(command.quantity, instrument)
    require_within(command.quantity, held, instrument)
    return command.quantity


def require_within(quantity: Decimal, held: Decimal, instrument: Instrument) -> None:
    """Refuse to close more of a position than there is of it.

    Raises:
        InputError: POSITION_QUANTITY_EXCEEDED.

    """
    if quantity > abs(held):
        raise InputError(
            ErrorCode.POSITION_QUANTITY_EXCEEDED,
            f'{quantity:f} of "{instrument.symbol}" cannot be closed of a position of '
            f"{abs(held):f}",
            why="A closing order never opens a position on the other side.",
            hint=f"Close at most {abs(held):f}.",
            facts={"quantity": quantity, "held": held, "symbol": instrument.symbol},
        )


def _require_matching_fields(command: SubmitOrder) -> None:
    problem = None
    if (command.order_type is OrderType.LIMIT) != (command.limit_price is not None):
        problem = "A limit order has a limit price, and no other order has one."
    elif (command.order_type is OrderType.STOP) != (command.stop_price is not None):
        problem = "A stop order has a stop price, and no other order has one."
    elif command.order_type is OrderType.MARKET and command.time_in_force.may_rest:
        problem = "A market order is immediate: it cannot rest until it is canceled."
    elif command.order_type is OrderType.STOP and not command.time_in_force.may_rest:
        problem = "A stop order rests until its price is reached or it is canceled."
    elif (command.time_in_force is TimeInForce.GTD) != (command.expires_at is not None):
        problem = "An order that is good till a date names the instant, and no other order does."
    if problem is not None:
        raise InputError(
            ErrorCode.ORDER_FIELDS_CONTRADICT,
            f"a {command.order_type} order with time in force {command.time_in_force}, limit price "
            f"{command.limit_price} and stop price {command.stop_price} contradicts itself",
            why=problem,
            hint="Give the fields of one order type only.",
            facts={"client_order_id": command.client_order_id},
        )


def _require_price(name: str, price: Decimal, instrument: Instrument) -> None:
    tick = instrument.price_tick
    facts = {"price": price, "symbol": instrument.symbol, "tick": tick}
    if not price.is_finite() or price <= 0 or price > AMOUNT_MAX:
        raise InputError(
            ErrorCode.ORDER_PRICE_MALFORMED,
            f'{name} {price} of "{instrument.symbol}" is not a positive number',
            why="A price is a finite number above zero.",
            hint=f"Give a multiple of {tick:f}.",
            facts=facts,
        )
    if price % tick:
        raise InputError(
            ErrorCode.ORDER_PRICE_OFF_TICK,
            f'{name} {price} of "{instrument.symbol}" is not a multiple of {tick:f}',
            why="Prices are never rounded for you.",
            hint=f"Give {price - price % tick:f} or {price - price % tick + tick:f}.",
            facts=facts,
        )


def dealing_price(top: Top, side: Side) -> Decimal:
    """Return what a client of `side` deals at: a buyer pays the ask, a seller gets the bid."""
    return top.ask if side is Side.BUY else top.bid


def limit_is_met(side: Side, limit_price: Decimal, top: Top) -> bool:
    """Return whether a limit order may deal: a buy if ask <= limit, a sell if bid >= limit."""
    return (dealing_price(top, side) - limit_price) * side.sign <= 0


def stop_is_reached(side: Side, stop_price: Decimal, top: Top) -> bool:
    """Return whether a stop triggers: a buy if ask >= stop, a sell if bid <= stop."""
    return (dealing_price(top, side) - stop_price) * side.sign >= 0


def stop_loss_is_reached(quantity: Decimal, stop_loss: Decimal, top: Top) -> bool:
    """Return whether a position must be closed: a long if bid <= level, a short if ask >= it."""
    return top.bid <= stop_loss if quantity > 0 else top.ask >= stop_loss


def take_profit_is_reached(quantity: Decimal, take_profit: Decimal, top: Top) -> bool:
    """Return whether a profit is taken: a long if bid >= level, a short if ask <= it."""
    return top.bid >= take_profit if quantity > 0 else top.ask <= take_profit


class Split(Struct, frozen=True):
    """How a signed fill meets a position: what it closes of it and what it opens."""

    closes: Decimal
    opens: Decimal


def split_fill(position_quantity: Decimal, fill_quantity: Decimal) -> Split:
    """Split a signed fill into the part that closes the position and the part that opens.

    Both parts carry the fill's sign and add up to it (netting; domain rule 1.3).
    """
    if position_quantity * fill_quantity >= 0:
        return Split(Decimal(0), fill_quantity)
    if abs(fill_quantity) <= abs(position_quantity):
        return Split(fill_quantity, Decimal(0))
    return Split(-position_quantity, fill_quantity + position_quantity)


def average_price_after(
    quantity: Decimal, average_price: Decimal, added: Decimal, price: Decimal
) -> Decimal:
    """Return the average opening price after `added` more at `price` (same sign as `quantity`)."""
    total = quantity * average_price + added * price
    return (total / (quantity + added)).quantize(PRICE_QUANTUM, rounding=ROUND_HALF_EVEN)


def mean_price(value: Decimal, quantity: Decimal) -> Decimal:
    """Return the quantity-weighted mean of fills, as PostgreSQL's round(value / quantity, 8)."""
    return (value / quantity).quantize(PRICE_QUANTUM, rounding="ROUND_HALF_UP")
