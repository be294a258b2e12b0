"""Pairings: two opposite positions of a symbol that close each other (close-by).

The values only; `closing` decides them, `store` and `rows` read and write `close_bys`.
"""

from decimal import Decimal

from msgspec import Struct


class CloseBy(Struct, frozen=True, kw_only=True):
    """Ask to close two opposite positions of a symbol against each other, as far as both reach.

    The first is closed at the average price of the second, the second at its own: nothing is
    dealt, so no spread and no commission is paid. `close_by_id` is the client's own key, a UUID;
    the same key again returns the first pairing.
    """

    account_id: str
    close_by_id: str
    position_id: str
    by_position_id: str
    symbol: str


class CloseByReport(Struct, frozen=True):
    """What a pairing of two positions closed of both, and the result in the account's currency."""

    close_by_id: str
    quantity: Decimal
    price: Decimal
    realised_pnl: Decimal
    is_replay: bool = False
