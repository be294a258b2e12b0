"""What an order is given when it is accepted: when it expires, and where its stop stands first.

The distance of a trailing stop becomes a price here, once, at the price that is seen on arrival;
from then on the market's ups and downs move the stop and never the distance.
"""

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from msgspec import Struct

from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.model import Side
from tradewright.trading import rules
from tradewright.trading.expiry import expires_at
from tradewright.trading.model import SubmitOrder, TrailingUnit
from tradewright.trading.state import Desk

BPS = Decimal(10_000)


class Terms(Struct, frozen=True):
    """An order's instant of expiry, first stop price, and distance in quote currency."""

    expires_at: datetime | None
    stop_price: Decimal | None
    trailing_distance: Decimal | None = None


def terms_of(desk: Desk, command: SubmitOrder, instrument: Instrument) -> Terms:
    """Return an order's terms at the present time and price.

    Raises:
        InputError: ORDER_TRAIL_MALFORMED, and what `expires_at` raises.
        StateError: ORDER_PRICE_STALE, when a trailing stop has no price to follow.

    """
    expiry = expires_at(desk, command)
    if command.trailing_distance is None:
        return Terms(expiry, command.stop_price)
    top = desk.market.top(instrument.symbol)
    if top is None:
        raise StateError(
            ErrorCode.ORDER_PRICE_STALE,
            f'order "{command.client_order_id}" could not follow a price that is not there',
            why=f'No provider has a quote for "{instrument.symbol}" that is fresh enough.',
            hint="Try again when quotes arrive.",
        )
    price = rules.dealing_price(top, command.side)
    distance = trailing_distance(
        command.trailing_distance, command.trailing_unit, price, instrument.price_tick
    )
    return Terms(expiry, _first_stop(command.side, price, distance), distance)


def _first_stop(side: Side, price: Decimal, distance: Decimal) -> Decimal:
    stop_price = rules.trailing_stop(side, price, distance)
    if stop_price <= 0:
        raise InputError(
            ErrorCode.ORDER_TRAIL_MALFORMED,
            f"a trailing stop {distance:f} below {price} would stand at {stop_price}",
            why="A stop price is above zero.",
            hint=f"Give less than {price}.",
            facts={"distance": distance, "price": price},
        )
    return stop_price


def trailing_distance(asked: Decimal, unit: TrailingUnit, price: Decimal, tick: Decimal) -> Decimal:
    """Return a distance in quote currency.

    Basis points of `price` become whole ticks, rounded half to even, and at least one.
    """
    if unit is TrailingUnit.PRICE:
        return asked
    if unit is TrailingUnit.TICKS:
        return asked * tick
    ticks = (asked * price / BPS / tick).to_integral_value(rounding=ROUND_HALF_EVEN)
    return max(ticks, Decimal(1)) * tick


def trailing_terms(command: SubmitOrder) -> str | None:
    """Return the distance as the client gave it, such as `25 bps`."""
    if command.trailing_distance is None:
        return None
    return f"{command.trailing_distance.normalize():f} {command.trailing_unit}"
