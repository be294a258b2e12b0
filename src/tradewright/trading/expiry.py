"""When an order's time is over: day orders at the end of the trading day, dated ones at theirs.

Time is the market's own, that of the newest quote. An order is dated when it is accepted; the
watcher proposes its end with the first quote at or after that instant, and the batch decides.
"""

from datetime import datetime

from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.core.trading_day import trading_day_end
from tradewright.trading.model import SubmitOrder, TimeInForce
from tradewright.trading.state import Desk, OrderState


def expires_at(desk: Desk, command: SubmitOrder) -> datetime | None:
    """Return when the order that is asked for will expire; None if it does not.

    Raises:
        InputError: ORDER_EXPIRY_PAST.
        StateError: ORDER_PRICE_STALE, when the market has no time yet to which a day could belong.

    """
    if not command.time_in_force.is_dated:
        return None
    now = desk.market.now
    if not desk.market.has_begun:
        raise StateError(
            ErrorCode.ORDER_PRICE_STALE,
            f'order "{command.client_order_id}" could not be dated before the first quote',
            why="The market's time is that of its newest quote, and there is none yet.",
            hint="Try again when quotes arrive.",
        )
    if command.time_in_force is TimeInForce.DAY or command.expires_at is None:
        return trading_day_end(now)
    if command.expires_at <= now:
        raise InputError(
            ErrorCode.ORDER_EXPIRY_PAST,
            f'order "{command.client_order_id}" would expire at {command.expires_at}, '
            f"which is not after {now}",
            why="An order that is good till a date must have time to live.",
            hint="Give an instant after the market's present time.",
            facts={"expires_at": command.expires_at, "market_now": now},
        )
    return command.expires_at


def has_expired(desk: Desk, order: OrderState) -> bool:
    """Return whether the order's time is over."""
    return order.expires_at is not None and order.expires_at <= desk.market.now
