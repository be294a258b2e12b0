"""What people are shown of accounts: their settings, and what they are worth now, rounded to cents.

The figures are those of `inquiry.worths_of`; a face shows them as they come from here.
"""

from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from tradewright.core.money import round_to_minor_unit
from tradewright.postgres.connect import Session
from tradewright.trading.inquiry import ListedAccount, worths_of

_PERCENT = Decimal("0.01")


def account_facts(session: Session, accounts: Sequence[ListedAccount]) -> list[dict[str, Any]]:
    """Return accounts with what they are worth, in their currencies."""
    worths = worths_of(session, accounts)
    rows = []
    for account in accounts:
        row, known = asdict(account), worths[account.id]
        row |= dict.fromkeys(("equity", "used_margin", "free_margin", "margin_level", "priced_at"))
        if known is not None:
            state, level = known.state, known.state.level
            worth = {"equity": state.equity, "used_margin": state.used, "free_margin": state.free}
            row |= {name: round_to_minor_unit(one, account.currency) for name, one in worth.items()}
            row["margin_level"] = None if level is None else level.quantize(_PERCENT)
            row["priced_at"] = known.priced_at
        rows.append(row)
    return rows
