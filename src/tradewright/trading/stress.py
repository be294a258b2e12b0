"""Stress of the live book: read in one snapshot without a lock, moved by a scenario, valued again.

Prices are the quotes that the last order in each symbol has seen, which its first event keeps; a
symbol in which nothing has ever been ordered has no position to value.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from msgspec import Struct

from tradewright.liquidity.board import QuoteBoard
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.market import Market
from tradewright.liquidity.model import ProviderQuote
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.risk.margin import Exposure
from tradewright.risk.model import ClientClass, HedgedMargin, RiskProfile
from tradewright.risk.stress import (
    AccountOutcome,
    BookedAccount,
    Scenario,
    house_result,
    outcome,
)
from tradewright.trading.reference import read_instruments

_QUERIES = "tradewright.trading"
_NOW = datetime(2000, 1, 1, tzinfo=UTC)
_SIZE = Decimal(1)

Prices = dict[str, tuple[Decimal, Decimal]]


class StressReport(Struct, frozen=True, kw_only=True):
    """What a scenario leaves of every account with a position, and of the house.

    `house_pnl` is the change of what the house holds for its own account, hedges included, in
    `currency`; None when a price is missing. `forgiven` is by currency.
    """

    scenario: Scenario
    accounts: tuple[AccountOutcome, ...]
    currency: str
    house_pnl: Decimal | None
    forgiven: dict[str, Decimal]
    prices: dict[str, tuple[Decimal, Decimal, Decimal, Decimal]]


def run_stress(session: Session, scenario: Scenario, *, currency: str = "USD") -> StressReport:
    """Move the live book by a scenario and return what is left; nothing is written."""
    queries = load_queries(_QUERIES)
    with session.transaction():
        session.execute(queries["read_one_snapshot"])
        instruments = read_instruments(session)
        positions = session.execute(queries["stressed_positions"]).fetchall()
        seen = session.execute(queries["last_seen_quotes"]).fetchall()
        nets = session.execute(queries["stressed_exposures"]).fetchall()
    prices = {symbol: _top(details) for symbol, details in seen}
    shocked = {s: scenario.shocked(instruments[s], *price) for s, price in prices.items()}
    before, after = _market(prices), _market(shocked)
    accounts = tuple(outcome(one, before, after) for one in _accounts(positions, instruments))
    forgiven: dict[str, Decimal] = {}
    for one in accounts:
        if one.forgiven:
            forgiven[one.currency] = forgiven.get(one.currency, Decimal(0)) + one.forgiven
    held = [(instruments[symbol], net) for symbol, net in nets]
    return StressReport(
        scenario=scenario,
        accounts=accounts,
        currency=currency,
        house_pnl=house_result(held, before, after, currency),
        forgiven=forgiven,
        prices={symbol: (*prices[symbol], *shocked[symbol]) for symbol in prices},
    )


def _accounts(
    rows: list[tuple[Any, ...]], instruments: Mapping[str, Instrument]
) -> list[BookedAccount]:
    booked = []
    for key, group in groupby(rows, key=lambda row: row[:9]):
        account_id, currency, balance, leverage, call, stop, client_class, hedged, credit = key
        profile = RiskProfile(
            ClientClass(client_class), currency, leverage, call, stop, HedgedMargin(hedged), credit
        )
        exposures = tuple(Exposure(instruments[row[9]], *row[10:13]) for row in group)
        booked.append(
            BookedAccount(id=account_id, profile=profile, balance=balance, exposures=exposures)
        )
    return booked


def _top(details: dict[str, list[str]]) -> tuple[Decimal, Decimal]:
    """Return the best bid and ask of the quotes that an order has seen; the middle if crossed."""
    bid = max(Decimal(quote[0]) for quote in details.values())
    ask = min(Decimal(quote[1]) for quote in details.values())
    if bid < ask:
        return bid, ask
    middle = (bid + ask) / 2
    return middle, middle


def _market(prices: Prices) -> Market:
    """Return a market in which these prices and no others are there."""
    market = Market(QuoteBoard(takes_any_price=True))
    market.advance(_NOW)
    for symbol, (bid, ask) in prices.items():
        step = Decimal("0.00000001") if bid == ask else Decimal(0)
        market.update(ProviderQuote("last seen", symbol, bid, ask + step, _SIZE, _SIZE, _NOW, 1))
    return market
