"""Under whose rules a group of accounts trades, and what those let it bind at the least.

ESMA caps the leverage of retail clients by class of assets (Decision (EU) 2018/796; `asset_class`
has the caps). The National Futures Association of the United States wants a share of the notional
from every client (Financial Requirements, Section 12) and positions closed in the order of opening
(Compliance Rule 2-43(b)); the database lets a group be under it in FIFO alone.
"""

from decimal import Decimal
from enum import StrEnum

from tradewright.liquidity.instrument import Instrument

NFA_MAJORS = frozenset(
    {"USD", "GBP", "CHF", "CAD", "JPY", "EUR", "AUD", "NZD", "SEK", "NOK", "DKK"}
)
"""The dollar and the ten currencies of Section 12 (a)(i): a pair of two of these is a major one."""

NFA_MAJOR = Decimal("0.02")
NFA_OTHER = Decimal("0.05")
NFA_STOP_OUT = Decimal(100)
"""Percent of used margin: below what is required it is collected, or closed (Section 12 (e))."""


class Regime(StrEnum):
    """Whose rules hold for a group of accounts."""

    ESMA = "esma"
    US = "us"


def nfa_minimum(instrument: Instrument) -> Decimal:
    """Return the least share of the notional by Section 12: 50:1 in major pairs, 20:1 in others."""
    is_major = {instrument.base_currency, instrument.quote_currency} <= NFA_MAJORS
    return NFA_MAJOR if is_major else NFA_OTHER


def levels(regime: Regime, *, call: Decimal, stop: Decimal) -> tuple[Decimal, Decimal]:
    """Return the levels of margin call and stop-out that hold for an account with these."""
    if regime is Regime.ESMA:
        return call, stop
    return max(call, NFA_STOP_OUT), max(stop, NFA_STOP_OUT)
