"""Groups of accounts: the conditions that all accounts of a group trade under.

A group is named by its code; every account has one, and `standard` is there from the beginning.
The engine keeps the groups in memory, beside the instruments; an account's row names its own.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct, structs

from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.core.ids import require_ids
from tradewright.postgres.connect import Session
from tradewright.postgres.pipeline import Statements
from tradewright.postgres.queries import load_queries
from tradewright.risk.model import HedgedMargin, MarginPrice, PendingMargin
from tradewright.risk.regimes import Regime
from tradewright.risk.stop_out import StopOutMode

STANDARD = "standard"
"""The group of accounts that are opened without one."""

_CODE = re.compile("[a-z0-9_-]{2,32}")


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
    margin_price: MarginPrice = MarginPrice.CURRENT
    pending_margin: PendingMargin = PendingMargin.NONE
    regime: Regime = Regime.ESMA


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
            "margin_price": group.margin_price,
            "pending_margin": group.pending_margin,
            "regime": group.regime,
        },
    )


def open_group(connection: Session, group: AccountGroup) -> None:
    """Open a group.

    Raises:
        InputError: ACCOUNT_GROUP_MALFORMED.
        StateError: ACCOUNT_GROUP_EXISTS.

    """
    if not _CODE.fullmatch(group.code):
        raise InputError(
            ErrorCode.ACCOUNT_GROUP_MALFORMED,
            f'"{group.code}" is no code of a group',
            why="A code is 2 to 32 of a-z, 0-9, _ and -.",
            hint="Choose such a code.",
            facts={"group": group.code},
        )
    if group.code in read_groups(connection):
        raise StateError(
            ErrorCode.ACCOUNT_GROUP_EXISTS,
            f'group "{group.code}" is open already',
            why="A group is opened once, and its conditions are changed afterwards.",
            hint="Change them with `tradewright groups set`.",
            facts={"group": group.code},
        )
    set_group(connection, group)


def change_group(connection: Session, code: str, changes: Mapping[str, Any]) -> AccountGroup:
    """Change some conditions of a group, and return all; what is not named stays.

    Raises:
        InputError: ACCOUNT_GROUP_UNKNOWN.

    """
    connection.execute(load_queries("tradewright.trading")["lock_account_group"], {"code": code})
    group = structs.replace(find_group(connection, code), **changes)
    set_group(connection, group)
    return group


def assign_group(connection: Session, account_id: str, code: str) -> None:
    """Let an account trade under the conditions of a group, from its next order on.

    Raises:
        InputError: INPUT_ID_MALFORMED, ACCOUNT_UNKNOWN, ACCOUNT_GROUP_UNKNOWN.
        psycopg.Error: the position mode would be another one, and the account has positions.

    """
    require_ids(account_id)
    find_group(connection, code)
    row = connection.execute(
        load_queries("tradewright.trading")["assign_account_group"],
        {"account_id": account_id, "code": code},
    ).fetchone()
    if row is None:
        raise InputError(
            ErrorCode.ACCOUNT_UNKNOWN,
            f'account "{account_id}" does not exist',
            why="A group is a setting of a trading account.",
            hint="Check the account's id.",
        )


def find_group(connection: Session, code: str) -> AccountGroup:
    """Return a group by its code.

    Raises:
        InputError: ACCOUNT_GROUP_UNKNOWN.

    """
    groups = read_groups(connection)
    if code not in groups:
        raise InputError(
            ErrorCode.ACCOUNT_GROUP_UNKNOWN,
            f'group "{code}" does not exist',
            why=f"These are open: {', '.join(sorted(groups))}.",
            hint="Open it with `tradewright groups open`, or name one of these.",
            facts={"group": code},
        )
    return groups[code]


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
            margin_price=MarginPrice(row[5]),
            pending_margin=PendingMargin(row[6]),
            regime=Regime(row[7]),
        )
        for row in rows
    }
