"""Groups of accounts: the conditions that all accounts of a group trade under.

A group is named by its code; every account has one, and `standard` is there from the beginning.
The engine keeps the groups in memory, beside the instruments; an account's row names its own.
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from tradewright.postgres.connect import Session
from tradewright.postgres.pipeline import Statements
from tradewright.postgres.queries import load_queries
from tradewright.risk.model import HedgedMargin
from tradewright.risk.stop_out import StopOutMode

STANDARD = "standard"
"""The group of accounts that are opened without one."""


class PositionMode(StrEnum):
    """How fills make positions: one net position, one for each opening fill, or oldest first."""

    NETTING = "netting"
    HEDGING = "hedging"
    FIFO = "fifo"


class AccountGroup(Struct, frozen=True, kw_only=True):
    """The conditions of a group."""

    code: str
    position_mode: PositionMode = PositionMode.NETTING
    is_swap_free: bool = False
    stop_out_mode: StopOutMode = StopOutMode.LARGEST_LOSS
    hedged_margin: HedgedMargin = HedgedMargin.SUM


def set_group(connection: Session, group: AccountGroup) -> None:
    """Open a group, or change the conditions of one that is there; it is audited by trigger."""
    connection.execute(
        load_queries("tradewright.trading")["set_account_group"],
        {
            "code": group.code,
            "position_mode": group.position_mode,
            "is_swap_free": group.is_swap_free,
            "stop_out_mode": group.stop_out_mode,
            "hedged_margin": group.hedged_margin,
        },
    )


def read_groups(statements: Statements) -> Mapping[str, AccountGroup]:
    """Return every group by its code."""
    rows = statements.execute(load_queries("tradewright.trading")["account_groups"], {}).fetchall()
    return {
        row[0]: AccountGroup(
            code=row[0],
            position_mode=PositionMode(row[1]),
            is_swap_free=row[2],
            stop_out_mode=StopOutMode(row[3]),
            hedged_margin=HedgedMargin(row[4]),
        )
        for row in rows
    }
