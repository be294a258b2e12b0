"""Whom a batch's denials may block: accounts of which limits deny one order after the other.

RTS 6, article 15, wants accounts to be blocked that exceed their limits. The denials are counted by
the database when their batch is committed (`block_denied_accounts`), and nothing is asked where no
limit `denial_rate` holds. It is asked on the session that has booked the batch: a flood of denials
opens none. A crash in between blocks nobody; the next denial counts those before it.
"""

from tradewright.postgres.connect import Session
from tradewright.risk.limits import LimitKind
from tradewright.risk.store import block_denied
from tradewright.trading.state import Desk

_BREACH_ORDER = 1
"""Where a row of `Changes.breaches` has its order's id."""


def block_after(session: Session, desk: Desk) -> None:
    """Block the accounts of which a committed batch has denied one order too many.

    Works in a transaction of its own, on a session that is idle.
    """
    if not desk.changes.breaches:
        return
    account_ids = _watched(desk)
    if account_ids:
        block_denied(session, account_ids)


def _watched(desk: Desk) -> list[str]:
    """Return the accounts with denials that are counted."""
    found: dict[str, None] = {}
    for row in desk.changes.breaches:
        order = desk.changes.orders[str(row[_BREACH_ORDER])]
        account, symbol = desk.accounts[order.account_id], order.instrument.symbol
        limits = desk.reference.limits.of(account.id, account.group.code, symbol)
        if LimitKind.DENIAL_RATE in limits:
            found[account.id] = None
    return list(found)
