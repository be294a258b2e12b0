"""Stress of the live book: read in one snapshot without a lock, moved by a scenario, valued again.

Prices are the newest that the database knows of each symbol (`known_prices`).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from msgspec import Struct

from tradewright.core.errors import ErrorCode, InputError
from tradewright.liquidity.board import QuoteBoard, Top
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.market import Market
from tradewright.liquidity.model import ProviderQuote
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.risk.margin import Exposure, MarginState, margin_state
from tradewright.risk.model import ClientClass, HedgedMargin, RiskProfile
from tradewright.risk.regimes import Regime, levels
from tradewright.risk.stress import (
    AccountOutcome,
    BookedAccount,
    Scenario,
    moved_together,
    outcome,
)
from tradewright.risk.stress_house import (
    Held,
    House,
    HouseOutcome,
    LostProvider,
    house_outcome,
    unhedged,
    value,
)
from tradewright.trading.known_prices import KnownPrices, read_tops
from tradewright.trading.reference import read_instruments

_QUERIES = "tradewright.trading"
_NOW = datetime(2000, 1, 1, tzinfo=UTC)
_SIZE = Decimal(1)
_NOTHING = Decimal(0)

Prices = dict[str, tuple[Decimal, Decimal]]


class StressReport(Struct, frozen=True, kw_only=True):
    """What a scenario leaves of every account with a position, and of the house.

    `forgiven` is by currency, `house` in one; `quoted_at` says of which time a symbol's price is.
    """

    scenario: Scenario
    accounts: tuple[AccountOutcome, ...]
    house: HouseOutcome
    forgiven: dict[str, Decimal]
    prices: dict[str, tuple[Decimal, Decimal, Decimal, Decimal]]
    quoted_at: dict[str, datetime]


class AccountWorth(Struct, frozen=True):
    """The state of an account, and when the oldest of the prices behind it was quoted."""

    state: MarginState
    priced_at: datetime | None = None


class Capital(Struct, frozen=True, kw_only=True):
    """What the house has of its own, and what it must have, in `currency`."""

    currency: str = "USD"
    own_funds: Decimal | None = None
    required: Decimal | None = None


IN_DOLLARS = Capital()
"""No word about own funds: the house's result alone, in US dollars."""


def run_stress(
    session: Session, scenario: Scenario, *, capital: Capital = IN_DOLLARS
) -> StressReport:
    """Move the live book by a scenario and return what is left; nothing is written.

    Raises:
        InputError: PROVIDER_UNKNOWN.

    """
    queries = load_queries(_QUERIES)
    with session.transaction():
        session.execute(queries["read_one_snapshot"])
        instruments = read_instruments(session)
        positions = session.execute(queries["stressed_positions"], {"ids": None}).fetchall()
        tops = read_tops(session)
        nets = session.execute(queries["stressed_exposures"]).fetchall()
        house = House(
            currency=capital.currency,
            held=tuple((instruments[symbol], net) for symbol, net in nets),
            lost=_read_lost(session, scenario, instruments),
            own_funds=capital.own_funds,
            required=capital.required,
        )
    accounts = _accounts(positions, instruments)
    return _report(scenario, (house, accounts), instruments, tops)


def account_worths(session: Session, account_ids: Sequence[str]) -> dict[str, AccountWorth | None]:
    """Return what each account that has positions is worth, at the newest prices that are known.

    None where a price is missing. Works in the caller's transaction.
    """
    queries = load_queries(_QUERIES)
    instruments = read_instruments(session)
    asked = {"ids": list(account_ids)}
    positions = session.execute(queries["stressed_positions"], asked).fetchall()
    tops = read_tops(session) if positions else {}
    return {one.id: _worth(one, KnownPrices(tops)) for one in _accounts(positions, instruments)}


def _worth(account: BookedAccount, prices: KnownPrices) -> AccountWorth | None:
    state = margin_state(account.profile, account.balance, account.exposures, prices)
    return None if state is None else AccountWorth(state, prices.oldest_at)


def _report(
    scenario: Scenario,
    book: tuple[House, Sequence[BookedAccount]],
    instruments: Mapping[str, Instrument],
    tops: Mapping[str, Top],
) -> StressReport:
    prices = {symbol: (top.bid, top.ask) for symbol, top in tops.items()}
    house, before = book[0], _market(prices)
    if scenario.together is not None:
        scenario = moved_together(scenario, _values(house, instruments, before))
    shocked = {s: scenario.shocked(instruments[s], *price) for s, price in prices.items()}
    after = _market(shocked)
    accounts = tuple(outcome(one, before, after) for one in book[1])
    forgiven: dict[str, Decimal] = {}
    for one in accounts:
        if one.forgiven:
            forgiven[one.currency] = forgiven.get(one.currency, _NOTHING) + one.forgiven
    return StressReport(
        scenario=scenario,
        accounts=accounts,
        house=house_outcome(house, before, after, forgiven),
        forgiven=forgiven,
        prices={symbol: (*prices[symbol], *shocked[symbol]) for symbol in prices},
        quoted_at={symbol: top.quoted_at for symbol, top in tops.items()},
    )


def _values(
    house: House, instruments: Mapping[str, Instrument], market: Market
) -> Iterator[tuple[Instrument, Decimal]]:
    """Give what the house has unhedged in every instrument that has a price; 0 without a rate."""
    left = {one.symbol: net for one, net in unhedged(house)}
    for symbol, instrument in instruments.items():
        if market.top(symbol) is not None:
            held = (instrument, left.get(symbol, _NOTHING))
            yield instrument, value(held, market, house.currency) or _NOTHING


def _read_lost(
    session: Session, scenario: Scenario, instruments: Mapping[str, Instrument]
) -> tuple[LostProvider, ...]:
    """Read what the house has open with the providers that a scenario loses."""
    query = load_queries(_QUERIES)["stressed_providers"]
    rows = session.execute(query, {"codes": list(scenario.lost)}).fetchall()
    held: dict[str, list[Held]] = {row[0]: [] for row in rows}
    for code, symbol, quantity in rows:
        if symbol in instruments:
            held[code].append((instruments[symbol], quantity))
    for code in scenario.lost.keys() - held.keys():
        raise InputError(
            ErrorCode.PROVIDER_UNKNOWN,
            f'liquidity provider "{code}" is not listed',
            why="Only a provider that the house deals with can be lost.",
            hint="Read them with `tradewright providers list`.",
        )
    return tuple(LostProvider(scenario.lost[code], tuple(one)) for code, one in held.items())


def _accounts(
    rows: list[tuple[Any, ...]], instruments: Mapping[str, Instrument]
) -> list[BookedAccount]:
    booked = []
    for key, group in groupby(rows, key=lambda row: row[:10]):
        account_id, currency, balance, leverage, call, stop, client_class, hedged = key[:8]
        credit, regime = key[8], Regime(key[9])
        terms = ClientClass(client_class), currency, leverage
        closing = levels(regime, call=call, stop=stop)
        profile = RiskProfile(*terms, *closing, HedgedMargin(hedged), credit, regime)
        exposures = tuple(Exposure(instruments[row[10]], *row[11:14]) for row in group)
        booked.append(
            BookedAccount(id=account_id, profile=profile, balance=balance, exposures=exposures)
        )
    return booked


def _market(prices: Prices) -> Market:
    """Return a market in which these prices and no others are there."""
    market = Market(QuoteBoard(takes_any_price=True))
    market.advance(_NOW)
    for symbol, (bid, ask) in prices.items():
        step = Decimal("0.00000001") if bid == ask else Decimal(0)
        market.update(ProviderQuote("last known", symbol, bid, ask + step, _SIZE, _SIZE, _NOW, 1))
    return market
