"""What an order must be to mean anything: its key, quantity, prices, and which of them go together.

Asked before anything is looked up or written. Pure; when an order may deal stands in `rules`.
"""

from collections.abc import Mapping
from decimal import Decimal

from msgspec import Struct

from tradewright.core.errors import ErrorCode, InputError
from tradewright.core.money import AMOUNT_MAX
from tradewright.liquidity.instrument import Instrument
from tradewright.trading.model import (
    ClosePosition,
    OrderType,
    SubmitOrder,
    TimeInForce,
    TrailingUnit,
)

_KEY_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-")
_KEY_LENGTH_MAX = 64


def require_well_formed(command: SubmitOrder, instrument: Instrument) -> None:
    """Refuse an order that means nothing, before anything is locked or written.

    Raises:
        InputError: ORDER_KEY_MALFORMED, ORDER_QUANTITY_MALFORMED, ORDER_QUANTITY_OFF_STEP,
            ORDER_QUANTITY_OUT_OF_RANGE, ORDER_FIELDS_CONTRADICT, ORDER_PRICE_MALFORMED,
            ORDER_PRICE_OFF_TICK, ORDER_TRAIL_MALFORMED, ORDER_EXPIRY_MALFORMED.

    """
    require_key(command.client_order_id)
    if command.oco_group is not None:
        require_key(command.oco_group)
    require_quantity(command.quantity, instrument)
    _require_matching_fields(command)
    for name, price in (
        ("limit price", command.limit_price),
        ("stop price", command.stop_price),
        ("stop-loss", command.stop_loss),
        ("take-profit", command.take_profit),
    ):
        if price is not None:
            require_price(name, price, instrument)
    if command.trailing_distance is not None:
        _require_distance(command.trailing_distance, command.trailing_unit, instrument)
    if command.expires_at is not None and command.expires_at.tzinfo is None:
        raise InputError(
            ErrorCode.ORDER_EXPIRY_MALFORMED,
            f"the instant {command.expires_at} has no time zone",
            why="An order that is good till a date ends at one instant, wherever its client is.",
            hint="Give the instant with its offset, such as 2026-01-13T17:00:00-05:00.",
        )


def require_key(key: str) -> None:
    """Refuse a client order id that is not 1 to 64 plain characters: ORDER_KEY_MALFORMED."""
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


def require_quantity(quantity: Decimal, instrument: Instrument) -> None:
    """Refuse a quantity that is no positive number on the step: ORDER_QUANTITY_..."""
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
        require_key(command.client_order_id or "")
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


class _Shape(Struct, frozen=True):
    """What an order type takes: its prices, whether it may rest or must, and that in words."""

    words: str
    limit_price: bool | None = False
    stop_price: bool = False
    trails: bool = False
    rests: bool | None = True


_SHAPES: Mapping[OrderType, _Shape] = {
    OrderType.MARKET: _Shape(
        "A market order is immediate, and has at most a limit price that bounds its slippage.",
        limit_price=None,
        rests=False,
    ),
    OrderType.LIMIT: _Shape(
        "A limit order has a limit price and no other.", limit_price=True, rests=None
    ),
    OrderType.STOP: _Shape(
        "A stop order rests, and has a stop price and no other.", stop_price=True
    ),
    OrderType.STOP_LIMIT: _Shape(
        "A stop limit order rests, and has a stop price and a limit price.",
        limit_price=True,
        stop_price=True,
    ),
    OrderType.TRAILING_STOP: _Shape(
        "A trailing stop rests, and has a distance instead of a price.", trails=True
    ),
    OrderType.TAKE_PROFIT: _Shape(
        "A take profit rests, and has a stop price and no other.", stop_price=True
    ),
}


def _require_matching_fields(command: SubmitOrder) -> None:
    problem = _contradiction(command)
    if problem is not None:
        raise InputError(
            ErrorCode.ORDER_FIELDS_CONTRADICT,
            f"a {command.order_type} order with time in force {command.time_in_force}, limit price "
            f"{command.limit_price} and stop price {command.stop_price} contradicts itself",
            why=problem,
            hint="Give the fields of one order type only.",
            facts={"client_order_id": command.client_order_id},
        )


def _contradiction(command: SubmitOrder) -> str | None:
    """Return in a sentence what does not fit together; None when everything does."""
    shape, time_in_force = _SHAPES[command.order_type], command.time_in_force
    if (
        shape.limit_price not in {None, command.limit_price is not None}
        or shape.stop_price != (command.stop_price is not None)
        or shape.trails != (command.trailing_distance is not None)
        or shape.rests not in {None, time_in_force.may_rest}
    ):
        return shape.words
    if (time_in_force is TimeInForce.GTD) != (command.expires_at is not None):
        return "An order that is good till a date names the instant, and no other order does."
    is_resting_limit = command.order_type is OrderType.LIMIT and time_in_force.may_rest
    if command.is_post_only and not is_resting_limit:
        return "Only a limit order that may rest can be post-only."
    only_reduces = command.is_reduce_only or command.order_type is OrderType.TAKE_PROFIT
    if only_reduces and (command.stop_loss, command.take_profit) != (None, None):
        return "An order that only reduces opens no position that could be protected."
    return None


def require_price(name: str, price: Decimal, instrument: Instrument) -> None:
    """Refuse a price that is no positive number on the tick: ORDER_PRICE_MALFORMED, _OFF_TICK."""
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


def _require_distance(distance: Decimal, unit: TrailingUnit, instrument: Instrument) -> None:
    is_positive = distance.is_finite() and 0 < distance <= AMOUNT_MAX
    step = {TrailingUnit.PRICE: instrument.price_tick, TrailingUnit.TICKS: Decimal(1)}.get(unit)
    if is_positive and (step is None or not distance % step):
        return
    raise InputError(
        ErrorCode.ORDER_TRAIL_MALFORMED,
        f"a trailing stop cannot follow at {distance} {unit}",
        why="A distance is a finite number above zero: a price on the tick, a whole number of "
        "ticks, or basis points of the price.",
        hint=f"Give for example {50 * instrument.price_tick:f} price, 50 ticks or 25 bps.",
        facts={"distance": distance, "unit": str(unit), "tick": instrument.price_tick},
    )
