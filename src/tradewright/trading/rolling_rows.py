"""What a batch must know of rollovers, laid out on its desk: of whom something may be due.

Belongs to `store`, which has locked the accounts; `swap_store` reads, and `rollovers` decides.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from tradewright.postgres.pipeline import Statements
from tradewright.trading.model import Command
from tradewright.trading.rollovers import late_deals
from tradewright.trading.state import Desk
from tradewright.trading.swap_store import read_rolling
from tradewright.trading.swaps import RollOver


def read_due(
    statements: Statements, desk: Desk, commands: Sequence[Command], rolled: Mapping[str, date]
) -> None:
    """Lay out what rollovers must know, also of accounts that are not known to owe no swap.

    And of those of which a provider tells that it has dealt before the last day's end.
    """
    day = desk.reference.ended_on
    for account in desk.accounts.values():
        if not account.positions:
            desk.rolled[account.id] = day
        elif rolled.get(account.id, date.min) < day:
            desk.unrolled.add(account.id)
    days = {c.account_id: c.through for c in commands if isinstance(c, RollOver)}
    late = late_deals(desk.reference, commands)
    if days or desk.unrolled or late:
        ids = sorted(days.keys() | desk.unrolled | late.keys())
        through = max([day, *days.values()])
        desk.rolling = read_rolling(statements, ids, through, late)
