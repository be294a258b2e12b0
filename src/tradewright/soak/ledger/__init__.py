"""A soak of the ledger: random operations on a few wallets while the server is killed.

Read `service` for the run, `commands` for what is asked, `checking` for how it is audited.
"""

from tradewright.soak.ledger.report import LedgerSoak
from tradewright.soak.ledger.service import soak_ledger

__all__ = ["LedgerSoak", "soak_ledger"]
