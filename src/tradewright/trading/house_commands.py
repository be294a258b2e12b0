"""What the house asks of itself: measurements to be booked, hedges to be decided, people told.

They go through the writers like the commands of `model`, which lists them with the others.
"""

from msgspec import Struct

from tradewright.routing.profiles import Measures

HOUSE = ""
"""What the house's own commands have in place of an account, whose lock they do not need."""


HOUSE_CHANGED = "house"
"""Told to engines when anybody has changed the house's exposure beside the batches."""


class BookMeasures(Struct, frozen=True, kw_only=True):
    """Measured by the house: what fills, closing trades and orders of hybrid accounts say."""

    measures: Measures
    account_id: str = HOUSE


class OpenHedge(Struct, frozen=True, kw_only=True):
    """Proposed by the house: its exposure in a symbol is above the limit.

    `has_begun` says that a hedge before this one has not brought it to the target.
    """

    symbol: str
    has_begun: bool = False
    account_id: str = HOUSE


class TellUnpriced(Struct, frozen=True, kw_only=True):
    """Found by the house: prices are missing, each with what is told of it, or there again."""

    lost: tuple[tuple[str, str], ...]
    again: tuple[str, ...]
    account_id: str = HOUSE


class LookAgain(Struct, frozen=True, kw_only=True):
    """Proposed by the house: something may be open in an account, or in the house, unknown here.

    Changes nothing; the engine learns what its batch has read, and takes up what is its own.
    """

    account_id: str
