"""Long runs that look for lost money: random work, processes that are killed, and an audit of all.

The work is drawn from a seed, so a run that found something can be run again. What the clients
were told is held against what the database kept, by an arithmetic of its own. `ledger` soaks the
ledger alone, `trading` two engines on one database.
"""

from tradewright.soak.ledger import LedgerSoak, soak_ledger
from tradewright.soak.plan import SoakPlan
from tradewright.soak.trading import TradingSoak, soak_trading

__all__ = ["LedgerSoak", "SoakPlan", "TradingSoak", "soak_ledger", "soak_trading"]
