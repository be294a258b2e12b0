"""Pure rules of orders and positions: when they may deal, how stops trail, what a fill does.

Sources: FIX 4.4 for words and states; the dealer-market convention that a client buys at the ask
and sells at the bid; average price and realised P&L as in domain rules 1.3. No I/O and no state.
"""

from decimal import ROUND_HALF_EVEN, Decimal

from msgspec import Struct

from tradewright.liquidity.board import Top
from tradewright.liquidity.model import Side

PRICE_QUANTUM = Decimal("0.00000001")
"""Prices are kept to eight decimals; averages are rounded half to even to them."""


def dealing_price(top: Top, side: Side) -> Decimal:
    """Return what a client of `side` deals at: a buyer pays the ask, a seller gets the bid."""
    return top.ask if side is Side.BUY else top.bid


def limit_is_met(side: Side, limit_price: Decimal, top: Top) -> bool:
    """Return whether a limit order may deal: a buy if ask <= limit, a sell if bid >= limit."""
    return (dealing_price(top, side) - limit_price) * side.sign <= 0


def stop_is_reached(side: Side, stop_price: Decimal, top: Top) -> bool:
    """Return whether a stop triggers: a buy if ask >= stop, a sell if bid <= stop."""
    return (dealing_price(top, side) - stop_price) * side.sign >= 0


def tighter_stop(side: Side, one: Decimal, other: Decimal | None) -> Decimal:
    """Return the stop that triggers first: the higher of a sell, the lower of a buy."""
    if other is None:
        return one
    return max(one, other) if side is Side.SELL else min(one, other)


def trailing_stop(side: Side, best_price: Decimal, distance: Decimal) -> Decimal:
    """Return where a stop stands that follows the best price at a distance (domain rule 1.2).

    A sell trails the highest bid from below, a buy the lowest ask from above.
    """
    return best_price + distance * side.sign


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
