"""Long runs that look for lost money: random work, a server that is killed, and an audit of all.

The work is drawn from a seed, so a run that found something can be run again. What the clients
were told is held against what the database kept, by an arithmetic of its own.
"""

from tradewright.soak.ledger import LedgerSoak, soak_ledger
from tradewright.soak.plan import SoakPlan

__all__ = ["LedgerSoak", "SoakPlan", "soak_ledger"]
