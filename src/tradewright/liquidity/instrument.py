"""What can be quoted and traded: one currency priced in another, with its steps and caps.

Owns the value only; the rows live in `instruments` and are read by `trading`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from tradewright.liquidity.asset_class import AssetClass
from tradewright.liquidity.sessions import TradingSession, is_open


class MarginTier(Struct, frozen=True):
    """A marginal bracket: what of a notional in base currency is `above` binds at least `rate`."""

    above: Decimal
    rate: Decimal


class MarginTerms(Struct, frozen=True, kw_only=True):
    """The least shares of the notional that an instrument binds, however large the leverage.

    `rate` is the house's, for every client; `rate_min_retail` is the regulator's minimum for retail
    clients, beside the cap of their leverage. `tiers` are in order of their thresholds.
    """

    rate: Decimal = Decimal(0)
    rate_min_retail: Decimal = Decimal(0)
    tiers: tuple[MarginTier, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One tradable symbol.

    Quantities are units of the base currency, prices are quote currency for one unit of base.
    `commission_per_million` is charged per side on one million of notional in the account's
    currency where no terms say otherwise; `contract_size` is the quantity of one lot. Leverage
    caps are whole numbers, such as 30 for 30:1; that of retail clients is within the class's.
    Without sessions it is traded always, and without margin terms the leverage alone says what it
    binds.
    """

    symbol: str
    base_currency: str
    quote_currency: str
    asset_class: AssetClass
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
    margin: MarginTerms | None = None

    def is_in_session(self, now: datetime) -> bool:
        """Return whether it is traded at an instant."""
        return not self.sessions or is_open(self.sessions, now)
