"""Prices and the providers behind them: read, invented, filtered, offered, ranked.

Pure values and rules; only the reader of quote files touches the disk. Start with model.py, then
quote_file.py or seeded_market.py (where quotes come from), quote_filter.py (which are refused),
simulator.py (what providers make of them) and board.py (what may be traded on now).
"""

from tradewright.liquidity.board import QuoteBoard, QuoteRefusal, Top
from tradewright.liquidity.model import (
    Level,
    ProviderAnswer,
    ProviderProfile,
    ProviderQuote,
    ProviderRequest,
    Quote,
    RejectReason,
    Side,
)
from tradewright.liquidity.quote_file import read_quotes
from tradewright.liquidity.quote_filter import QuoteFilter, Refusal
from tradewright.liquidity.seeded_market import SEEDED_SYMBOLS, seeded_day
from tradewright.liquidity.simulator import DEFAULT_PROFILES, SimulatedProvider

__all__ = [
    "DEFAULT_PROFILES",
    "SEEDED_SYMBOLS",
    "Level",
    "ProviderAnswer",
    "ProviderProfile",
    "ProviderQuote",
    "ProviderRequest",
    "Quote",
    "QuoteBoard",
    "QuoteFilter",
    "QuoteRefusal",
    "Refusal",
    "RejectReason",
    "Side",
    "SimulatedProvider",
    "Top",
    "read_quotes",
    "seeded_day",
]
