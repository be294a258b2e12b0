"""Reading and writing amendments of positions, for the batches that have any; no other asks.

`amending` decides them, `positions` lets a new position of a FIFO account stand under them.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import UNSET

from tradewright.postgres.arrays import columns
from tradewright.postgres.pipeline import Statements
from tradewright.postgres.queries import load_queries
from tradewright.trading.amendments import AmendPosition, AmendReport
from tradewright.trading.state import Changes

_QUERIES = "tradewright.trading"


def write_amendments(statements: Statements, changes: Changes) -> None:
    """Write amendments and the positions that stand under them; all positions are written."""
    queries = load_queries(_QUERIES)
    if changes.amendments:
        rows = columns(_AMENDMENT, changes.amendments)
        statements.execute(queries["write_position_amendments"], rows)
    if changes.amended:
        marked = [
            (one.id, one.stop_loss, one.take_profit, one.amended_by)
            for one in changes.amended.values()
        ]
        statements.execute(queries["mark_amended_positions"], columns(_MARK, marked))


def amendments_by_key(
    rows: Iterable[tuple[Any, ...]],
) -> dict[tuple[str, str], tuple[AmendPosition, AmendReport]]:
    """Lay out amendments that were booked before, as they were asked and answered."""
    return {(row[0], row[1]): _amendment(row) for row in rows}


def _amendment(row: tuple[Any, ...]) -> tuple[AmendPosition, AmendReport]:
    asked = AmendPosition(
        account_id=row[0],
        amendment_id=row[1],
        position_id=row[2],
        symbol=row[3],
        stop_loss=row[6] if row[4] else UNSET,
        take_profit=row[7] if row[5] else UNSET,
    )
    return asked, AmendReport(row[1], row[2], row[6], row[7])


_AMENDMENT = (
    "ids",
    "account_ids",
    "amendment_ids",
    "position_ids",
    "versions",
    "are_named",
    "set_stop_losses",
    "set_take_profits",
    "stop_losses_before",
    "take_profits_before",
    "stop_losses",
    "take_profits",
    "bids",
    "asks",
    "quoted",
    "booked",
)
_MARK = ("ids", "stop_losses", "take_profits", "amendments")
