"""What can be quoted and traded: one currency priced in another, with its steps and caps.

Owns the value only; the rows live in `instruments` and are read by `trading`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from tradewright.liquidity.sessions import TradingSession, is_open


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One tradable symbol.

    Quantities are units of the base currency, prices are quote currency for one unit of base.
    `commission_per_million` is charged per side on one million of notional in the account's
    currency where no terms say otherwise; `contract_size` is the quantity of one lot. Leverage
    caps are whole numbers, such as 30 for 30:1. Without sessions it is traded always.
    """

    symbol: str
    base_currency: str
    quote_currency: str
    quantity_step: Decimal
    quantity_min: Decimal
    quantity_max: Decimal
    price_tick: Decimal
    leverage_max: int
    leverage_max_retail: int
    commission_per_million: Decimal
    quote_age_max: timedelta
    is_tradable: bool
    contract_size: Decimal = Decimal(100_000)
    sessions: tuple[TradingSession, ...] = ()

    def is_in_session(self, now: datetime) -> bool:
        """Return whether it is traded at an instant."""
        return not self.sessions or is_open(self.sessions, now)
