"""A soak of trading: random commands to two engines while everything is killed.

Read `service` for the run, `commands` for what is asked, `promises` and `replay` for how it is
audited.
"""

from tradewright.soak.trading.report import TradingSoak
from tradewright.soak.trading.service import soak_trading

__all__ = ["TradingSoak", "soak_trading"]
