"""Stress: what a sudden move of the market would leave of each account, and of the house.

A scenario moves prices by a share, for single symbols, for a class of assets or for a currency
against all others, widens spreads, and lets nobody trade in between: it is a gap. Accounts are
valued by the formulas of `margin`, so a scenario without a move gives exactly what the engine sees.
Pure; `stress_house` is about the house, `trading.stress` reads the book.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct, structs

from tradewright.liquidity.asset_class import AssetClass
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.market import Market
from tradewright.risk.margin import Exposure, MarginState, margin_state
from tradewright.risk.model import ClientClass, RiskProfile

_NOTHING = Decimal(0)


class Together(StrEnum):
    """Which prices move as one, with a correlation of 1."""

    CLASS = "class"
    """Those of each class of assets by themselves."""
    ALL = "all"
    """All there are."""


class Scenario(Struct, frozen=True, kw_only=True):
    """Shares by which prices move: -0.1 is a fall by a tenth.

    A symbol's own wins over its class's, and that over its currencies'.

    A currency's share is its own move against all others. Spreads are multiplied by
    `spread_factor`. `together` lets prices move as one (`moved_together`); `lost` are the providers
    that are lost, by code, with what each owed the house before. `source` says where a historic
    case's figures are from.
    """

    name: str
    symbols: Mapping[str, Decimal] = {}
    classes: Mapping[AssetClass, Decimal] = {}
    currencies: Mapping[str, Decimal] = {}
    spread_factor: Decimal = Decimal(1)
    together: Together | None = None
    lost: Mapping[str, Decimal] = {}
    source: str = ""

    def share(self, instrument: Instrument) -> Decimal:
        """Return the share by which an instrument's price moves."""
        own = self.symbols.get(instrument.symbol)
        if own is None:
            own = self.classes.get(instrument.asset_class)
        if own is not None:
            return own
        base = self.currencies.get(instrument.base_currency, _NOTHING)
        quote = self.currencies.get(instrument.quote_currency, _NOTHING)
        return (1 + base) / (1 + quote) - 1 if base or quote else _NOTHING

    def shocked(
        self, instrument: Instrument, bid: Decimal, ask: Decimal
    ) -> tuple[Decimal, Decimal]:
        """Return bid and ask after the move."""
        share = self.share(instrument)
        half = (ask - bid) / 2 * self.spread_factor
        mid = (bid + ask) / 2 * (1 + share)
        return mid - half, mid + half


def moved_together(scenario: Scenario, values: Iterable[tuple[Instrument, Decimal]]) -> Scenario:
    """Return a scenario in which prices that move together move by one share, the worst.

    Its size is the largest by which any of them moves; its direction is that in which the house
    loses on all that it has in them: a rise where its `values` are below zero in sum, else a fall.
    """
    groups: dict[AssetClass | None, list[tuple[Instrument, Decimal]]] = {}
    for instrument, worth in values:
        group = instrument.asset_class if scenario.together is Together.CLASS else None
        groups.setdefault(group, []).append((instrument, worth))
    symbols: dict[str, Decimal] = {}
    for members in groups.values():
        size = max(abs(scenario.share(instrument)) for instrument, _ in members)
        is_rise = sum(worth for _, worth in members) < 0
        symbols.update({one.symbol: size if is_rise else -size for one, _ in members})
    return structs.replace(scenario, symbols=symbols)


CASES: Mapping[str, Scenario] = MappingProxyType(
    {
        one.name: one
        for one in (
            Scenario(
                name="snb-2015",
                currencies={"CHF": Decimal("1.2010") / Decimal("0.8500") - 1},
                spread_factor=Decimal(20),
                source="15 January 2015: EURCHF from 1.2010 to 0.8500 when the floor was given up",
            ),
            Scenario(
                name="gbp-flash-2016",
                currencies={"GBP": Decimal("-0.09")},
                spread_factor=Decimal(10),
                source="7 October 2016: sterling fell by about 9 percent in early Asian trading",
            ),
            Scenario(
                name="wti-2020",
                symbols={
                    symbol: Decimal("-37.63") / Decimal("18.27") - 1
                    for symbol in ("WTIUSD", "XTIUSD", "USOUSD")
                },
                spread_factor=Decimal(10),
                source="20 April 2020: the May future of WTI settled at -37.63 after 18.27",
            ),
            Scenario(
                name="btc-2020",
                currencies={"BTC": Decimal("-0.5")},
                spread_factor=Decimal(10),
                source="12 March 2020: bitcoin lost about half of its price",
            ),
            Scenario(
                name="shares-2020",
                classes={
                    AssetClass.EQUITY: Decimal("-0.12"),
                    AssetClass.INDEX_MAJOR: Decimal("-0.12"),
                    AssetClass.INDEX_MINOR: Decimal("-0.12"),
                },
                spread_factor=Decimal(10),
                source="16 March 2020: the S&P 500 closed 12 percent lower",
            ),
        )
    }
)
"""Named historic cases."""


class BookedAccount(Struct, frozen=True, kw_only=True):
    """An account with what it has open."""

    id: str
    profile: RiskProfile
    balance: Decimal
    exposures: tuple[Exposure, ...]


class AccountOutcome(Struct, frozen=True, kw_only=True):
    """What a scenario makes of an account, in its currency; nothing but the id if unpriced.

    `negative` is what would be missing if all were closed at the prices after the move, `forgiven`
    what of it the house pays for a retail client.
    """

    account_id: str
    currency: str
    before: MarginState | None
    after: MarginState | None
    is_called: bool = False
    is_stopped_out: bool = False
    negative: Decimal = _NOTHING
    forgiven: Decimal = _NOTHING


def outcome(account: BookedAccount, before: Market, after: Market) -> AccountOutcome:
    """Return what a move from one market to another makes of an account."""
    profile = account.profile
    states = [
        margin_state(profile, account.balance, account.exposures, market)
        for market in (before, after)
    ]
    state = states[1]
    if state is None:
        return AccountOutcome(
            account_id=account.id, currency=profile.currency, before=states[0], after=None
        )
    level = state.level
    negative = max(_NOTHING, -state.own)
    return AccountOutcome(
        account_id=account.id,
        currency=profile.currency,
        before=states[0],
        after=state,
        is_called=level is not None and level <= profile.margin_call_level,
        is_stopped_out=state.is_below(profile.stop_out_level),
        negative=negative,
        forgiven=negative if profile.client_class is ClientClass.RETAIL else _NOTHING,
    )


def house_result(
    nets: Iterable[tuple[Instrument, Decimal]], before: Market, after: Market, currency: str
) -> Decimal | None:
    """Return what the house wins or loses on its net quantities; None when a price is missing."""
    total = _NOTHING
    for instrument, net in nets:
        tops = before.top(instrument.symbol), after.top(instrument.symbol)
        rate = after.rate(instrument.quote_currency, currency)
        if not net:
            continue
        if tops[0] is None or tops[1] is None or rate is None:
            return None
        change = (tops[1].bid + tops[1].ask - tops[0].bid - tops[0].ask) / 2
        total += net * change * rate.mid
    return total
