"""What changes rarely and is kept in memory: instruments, groups, limits, providers.

An engine reads it at its start. Each batch holds its version while it works and reads what may
change anew when the version is another (`refreshed`), so a change holds for every batch that
begins after it was committed, in every engine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tradewright.ledger.model import HouseCode
from tradewright.ledger.store import houses_of
from tradewright.liquidity.asset_class import AssetClass
from tradewright.liquidity.board import QuoteBoard
from tradewright.liquidity.instrument import Instrument, MarginTerms, MarginTier
from tradewright.liquidity.sessions import TradingSession
from tradewright.postgres.connect import Session
from tradewright.postgres.pipeline import Statements
from tradewright.postgres.queries import load_queries
from tradewright.risk.breaker_store import read_breakers
from tradewright.risk.breakers import BreakerBook
from tradewright.risk.halts import HaltBook
from tradewright.risk.limits import LimitBook
from tradewright.risk.store import read_halt_book, read_limit_book
from tradewright.routing.model import NO_SETTINGS, Settings
from tradewright.routing.scoring import Terms
from tradewright.routing.store import read_settings
from tradewright.trading.commissions import TermsBook, read_terms
from tradewright.trading.groups import AccountGroup, read_groups

_QUERIES = "tradewright.trading"


@dataclass(frozen=True, slots=True)
class Reference:
    """Instruments by symbol, groups and providers by code, house holders by currency and code.

    `routing` decides about hybrid orders; `engines` are those that nobody has taken over from;
    `ended_on` is the last day that has ended at 17:00 in New York, by whichever engine's market.
    """

    version: int
    instruments: Mapping[str, Instrument]
    groups: Mapping[str, AccountGroup]
    provider_ids: Mapping[str, str]
    provider_priorities: Mapping[str, int]
    disabled_providers: frozenset[str]
    house: Mapping[str, Mapping[HouseCode, str]]
    routing: Settings = NO_SETTINGS
    provider_terms: Mapping[str, Terms] = field(default_factory=dict)
    commissions: TermsBook = field(default_factory=dict)
    limits: LimitBook = field(default_factory=LimitBook)
    halts: HaltBook = field(default_factory=HaltBook)
    breakers: BreakerBook = field(default_factory=BreakerBook)
    engines: frozenset[str] = frozenset()
    ended_on: date = date.min

    @property
    def terms(self) -> tuple[Mapping[str, Instrument], Mapping[str, AccountGroup]]:
        """Return what the margin of what is open depends on."""
        return self.instruments, self.groups

    @property
    def quote_ages(self) -> dict[str, timedelta]:
        """Return how old a quote of each symbol may be."""
        return {symbol: one.quote_age_max for symbol, one in self.instruments.items()}


def read_reference(connection: Session) -> Reference:
    """Read the reference data; opens the house's holders of every account currency if new."""
    queries = load_queries(_QUERIES)
    version = reference_version(connection)
    currencies = connection.execute(queries["account_currencies"]).fetchall()
    return Reference(
        version=version,
        instruments=read_instruments(connection),
        groups=read_groups(connection),
        commissions=read_terms(connection),
        routing=read_settings(connection),
        **_read_providers(connection),
        house=houses_of(connection, [row[0] for row in currencies]),
        limits=read_limit_book(connection),
        halts=read_halt_book(connection),
        breakers=BreakerBook(read_breakers(connection)),
        engines=_read_engines(connection),
        ended_on=_read_ended(connection),
    )


def quote_board(reference: Reference) -> QuoteBoard:
    """Return an empty board that knows ages, priorities and who is disabled."""
    board = QuoteBoard(priorities=reference.provider_priorities)
    board.learn(reference.quote_ages, reference.disabled_providers)
    return board


def reference_version(statements: Statements) -> int:
    """Return the version of the reference data, which stays until the transaction ends."""
    query = load_queries(_QUERIES)["hold_reference_version"]
    version: int = statements.execute(query, {}).fetchall()[0][0]
    return version


def refreshed(statements: Statements, reference: Reference, version: int) -> Reference:
    """Return the reference data as of a version that the transaction holds."""
    if version == reference.version:
        return reference
    return replace(
        reference,
        version=version,
        instruments=read_instruments(statements),
        groups=read_groups(statements),
        commissions=read_terms(statements),
        routing=read_settings(statements),
        **_read_providers(statements),
        limits=read_limit_book(statements),
        halts=read_halt_book(statements),
        breakers=BreakerBook(read_breakers(statements)),
        engines=_read_engines(statements),
        ended_on=_read_ended(statements),
    )


def read_instruments(statements: Statements) -> dict[str, Instrument]:
    """Return every instrument by its symbol, with its sessions."""
    queries = load_queries(_QUERIES)
    sessions: dict[str, list[TradingSession]] = {}
    for row in statements.execute(queries["trading_sessions"], {}).fetchall():
        sessions.setdefault(row[0], []).append(_session(row))
    tiers: dict[str, list[MarginTier]] = {}
    for row in statements.execute(queries["margin_tiers"], {}).fetchall():
        tiers.setdefault(row[0], []).append(MarginTier(row[1].normalize(), row[2].normalize()))
    rows = statements.execute(queries["instruments"], {}).fetchall()
    return {
        row[0]: _instrument(
            row,
            tuple(sessions.get(row[0], ())),
            _margin_terms(row[13], row[14], tuple(tiers.get(row[0], ()))),
        )
        for row in rows
    }


def _read_providers(statements: Statements) -> dict[str, Any]:
    """Return what a reference says of providers; those that are disabled are among them."""
    rows = statements.execute(load_queries(_QUERIES)["providers"], {}).fetchall()
    return {
        "provider_ids": {row[1]: row[0] for row in rows},
        "provider_priorities": {row[1]: row[2] for row in rows},
        "provider_terms": {row[1]: Terms(row[2], *row[4:]) for row in rows},
        "disabled_providers": frozenset(row[1] for row in rows if not row[3]),
    }


def _read_engines(statements: Statements) -> frozenset[str]:
    rows = statements.execute(load_queries(_QUERIES)["living_engines"], {}).fetchall()
    return frozenset(row[0] for row in rows)


def _read_ended(statements: Statements) -> date:
    ended_on: date | None
    ended_on = statements.execute(load_queries(_QUERIES)["last_trading_day"], {}).fetchall()[0][0]
    return ended_on or date.min


def _session(row: tuple[Any, ...]) -> TradingSession:
    return TradingSession(
        opens_weekday=row[1],
        opens_at=row[2],
        closes_weekday=row[3],
        closes_at=row[4],
        timezone=row[5],
    )


def _instrument(
    row: tuple[Any, ...], sessions: tuple[TradingSession, ...], margin: MarginTerms | None
) -> Instrument:
    """Lay out one row; its numbers lose the column's zeros, since errors show them to people."""
    return Instrument(
        symbol=row[0],
        base_currency=row[1],
        quote_currency=row[2],
        asset_class=AssetClass(row[15]),
        quantity_step=row[3].normalize(),
        quantity_min=row[4].normalize(),
        quantity_max=row[5].normalize(),
        price_tick=row[6].normalize(),
        leverage_max=row[7],
        leverage_max_retail=row[8],
        commission_per_million=row[9].normalize(),
        quote_age_max=timedelta(milliseconds=row[10]),
        is_tradable=row[11],
        contract_size=row[12].normalize(),
        sessions=sessions,
        margin=margin,
    )


def _margin_terms(
    rate: Decimal, rate_min_retail: Decimal, tiers: tuple[MarginTier, ...]
) -> MarginTerms | None:
    """Return the terms that say anything: most instruments have none and cost nothing."""
    if not rate and not rate_min_retail and not tiers:
        return None
    return MarginTerms(
        rate=rate.normalize(), rate_min_retail=rate_min_retail.normalize(), tiers=tiers
    )
