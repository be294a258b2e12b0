"""Amendments: what a client changes of the stop-loss and the take-profit of an open position.

The values only; `amending` decides them, `store` and `amendment_rows` read and write
`position_amendments`.
"""

from decimal import Decimal

from msgspec import UNSET, Struct, UnsetType

Level = Decimal | UnsetType | None
"""A price, None to remove the level, UNSET to leave it as it is."""


class AmendPosition(Struct, frozen=True, kw_only=True):
    """Ask for another stop-loss or take-profit of an open position; what is UNSET stays.

    `amendment_id` is the client's own key, a UUID; the same key again returns the first amendment.
    """

    account_id: str
    amendment_id: str
    position_id: str
    symbol: str
    stop_loss: Level = UNSET
    take_profit: Level = UNSET


class AmendReport(Struct, frozen=True):
    """The levels of a position after an amendment."""

    amendment_id: str
    position_id: str
    stop_loss: Decimal | None
    take_profit: Decimal | None
    is_replay: bool = False
