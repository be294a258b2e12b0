"""What of a trade is still open, and what is given back with it: the arithmetic of a bust. Pure.

A fill that its provider has busted is taken back as far as what it opened is open still, at its own
price and so without a result (decision 040). `reversing` reads and books.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

from msgspec import Struct

from tradewright.core.money import round_to_minor_unit

_NOTHING = Decimal(0)


class Opened(Struct, frozen=True):
    """The trade by which a fill has opened something.

    `commission` is its share of the fill's, `adjusted` what it was given for corrected prices.
    """

    trade_id: str
    position_id: str
    version: int
    quantity: Decimal
    price: Decimal
    conversion_rate: Decimal
    commission: Decimal
    adjusted: Decimal
    is_reversed: bool


class Since(Struct, frozen=True):
    """A later trade of the same position: its effect, its quantity, and what it left open."""

    effect: str
    quantity: Decimal
    left: Decimal


class PaidSwap(Struct, frozen=True):
    """What a position has paid or earned for a day over which a trade was open, all rows together.

    `rate` is that by which it was converted, `operation` says whether it was a swap or a fee.
    """

    rollover_on: date
    days: int
    quantity: Decimal
    amount: Decimal
    rate: Decimal
    operation: str


def open_part(opened: Opened, since: Sequence[Since], held: Decimal, step: Decimal) -> Decimal:
    """Return how much of what a trade has opened is open still, without a sign.

    What is closed of a position that several trades have opened is taken of each in proportion, as
    its average price has it, which a close keeps. In whole steps, so that what stays can be traded,
    unless nothing else is in the position.
    """
    share = Fraction(abs(opened.quantity))
    for trade in since:
        if trade.effect == "close":
            left = Fraction(abs(trade.left))
            share *= left / (left + Fraction(abs(trade.quantity)))
    if share == abs(held):
        return abs(held)
    return Decimal(share // Fraction(step)) * step


def in_proportion(amount: Decimal, part: Decimal, whole: Decimal, currency: str) -> Decimal:
    """Return what of an amount belongs to a part, rounded half to even to the minor unit."""
    return round_to_minor_unit(amount * abs(part) / abs(whole), currency)


def swap_back(paid: PaidSwap, taken: Decimal, currency: str) -> Decimal:
    """Return what taking back a signed quantity gives back of a swap; below zero it is charged.

    Never more than was booked: a late deal may have left less open that day than is taken back.
    """
    if paid.quantity * taken >= 0:
        return _NOTHING
    part = min(abs(taken), abs(paid.quantity))
    return -in_proportion(paid.amount, part, paid.quantity, currency)
