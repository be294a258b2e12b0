"""Long runs that look for lost money: random work, processes that are killed, and an audit of all.

The work is drawn from a seed, so a run that found something can be run again. What the clients
were told is held against what the database kept, by an arithmetic of its own. `ledger` soaks the
ledger alone, `trading` two engines on one database, `house` all commands of a house beside each
other.
"""

from tradewright.soak.house import HouseSoak, soak_house
from tradewright.soak.ledger import LedgerSoak, soak_ledger
from tradewright.soak.plan import SoakPlan
from tradewright.soak.trading import TradingSoak, soak_trading

__all__ = [
    "HouseSoak",
    "LedgerSoak",
    "SoakPlan",
    "TradingSoak",
    "soak_house",
    "soak_ledger",
    "soak_trading",
]
