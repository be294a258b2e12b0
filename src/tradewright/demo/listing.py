"""What the demo's broker lists, and on what terms: the instruments that the quotes are about.

Caps are those of the asset classes for retail clients, and 500 for professional ones.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

from tradewright.core.errors import ErrorCode, InputError
from tradewright.core.money import MINOR_UNITS
from tradewright.liquidity.asset_class import class_of_pair
from tradewright.liquidity.instrument import Instrument
from tradewright.payments import RateObserved
from tradewright.payments.limits import LIMIT_CURRENCY
from tradewright.risk.breaker_store import BreakerSettings
from tradewright.risk.breakers import BreakerKind
from tradewright.routing import Policy, Ramp
from tradewright.trading.swaps import SwapForm, SwapTerms

QUOTE_AGE_MAX = timedelta(seconds=60)
"""Recorded quotes come every 15 seconds; on a minute without news nothing is dealt."""

COMMISSION_PER_MILLION = Decimal(35)

_METALS = frozenset({"XAU"})
_INTEREST = {
    "USD": Decimal("3.75"),
    "EUR": Decimal(2),
    "GBP": Decimal(4),
    "JPY": Decimal("0.5"),
    "CHF": Decimal(0),
    "XAU": Decimal(0),
}
"""Percent a year, of the demo's own making; other currencies bear two."""

_WORTH = {
    "AUD": Decimal("0.65"),
    "BTC": Decimal(64_000),
    "CAD": Decimal("0.72"),
    "CHF": Decimal("1.25"),
    "ETH": Decimal(3_000),
    "EUR": Decimal("1.16"),
    "GBP": Decimal("1.34"),
    "JPY": Decimal("0.0064"),
    "NZD": Decimal("0.57"),
    "XAU": Decimal(4_600),
}
"""US dollars for one, nearly: what payments are counted by."""

_SWAP_MARGIN = Decimal("0.5")
_COARSE_TICKS = {"JPY": Decimal("0.001")}


def instruments_for(symbols: Collection[str]) -> list[Instrument]:
    """Return an instrument for each symbol of six letters, base currency first.

    Raises:
        InputError: INSTRUMENT_UNKNOWN when a symbol is not made of two known currencies.

    """
    return [_instrument(symbol) for symbol in sorted(symbols)]


def policies_for(instruments: Iterable[Instrument]) -> list[Policy]:
    """Return how the broker divides hybrid orders and hedges, alike for all its instruments.

    A lot is a hundred of an instrument's smallest units: 100,000 of a currency, 100 ounces.
    """
    return [_policy(one.symbol, one.quantity_min * 100) for one in instruments]


def _policy(symbol: str, lot: Decimal) -> Policy:
    return Policy(
        symbol=symbol,
        default_percent=10,
        toxicity=Ramp(Decimal(1), Decimal(5)),
        size=Ramp(2 * lot, 12 * lot),
        exposure=Ramp(5 * lot, 20 * lot),
        volatility=Ramp(Decimal(10), Decimal(50)),
        exposure_limit=15 * lot,
        hedge_target=5 * lot,
    )


def breakers_for(instruments: Iterable[Instrument]) -> list[BreakerSettings]:
    """Return what stops the opening of trades in an instrument: 2 % of movement in a minute.

    For half an hour, and then until the price has been calm for ten minutes.
    """
    return [
        BreakerSettings(
            code=f"{one.symbol.lower()}-in-a-minute",
            kind=BreakerKind.PRICE_MOVEMENT,
            symbol=one.symbol,
            threshold=Decimal(2),
            window_seconds=60,
            reset_seconds=1_800,
            cooldown_seconds=600,
        )
        for one in instruments
    ]


def swaps_for(instruments: Iterable[Instrument], since: date) -> list[SwapTerms]:
    """Return what holding a position costs from a day on: what both currencies bear, and a margin.

    A long position earns the interest of its base currency and pays that of its quote currency.
    """
    terms = []
    for one in instruments:
        difference = _interest(one.base_currency) - _interest(one.quote_currency)
        terms.append(
            SwapTerms(
                symbol=one.symbol,
                effective_on=since,
                form=SwapForm.PERCENT,
                long_rate=difference - _SWAP_MARGIN,
                short_rate=-difference - _SWAP_MARGIN,
                currency=one.quote_currency,
            )
        )
    return terms


def rates_to_dollars(currency: str, at: datetime) -> list[RateObserved]:
    """Return what one unit of a currency is worth in US dollars; for dollars nothing."""
    if currency == LIMIT_CURRENCY:
        return []
    rate = _WORTH[currency]
    quote = LIMIT_CURRENCY
    return [RateObserved(base=currency, quote=quote, rate=rate, source="demo", observed_at=at)]


def _interest(currency: str) -> Decimal:
    return _INTEREST.get(currency, Decimal(2))


def account_currency(symbols: Collection[str]) -> str:
    """Return the currency that accounts are kept in: USD where it is quoted, else a quote's own."""
    if any("USD" in (symbol[:3], symbol[3:]) for symbol in symbols):
        return "USD"
    return min(symbols)[3:]


def _instrument(symbol: str) -> Instrument:
    base, quote = symbol[:3], symbol[3:]
    if len(symbol) != 6 or base not in MINOR_UNITS or quote not in MINOR_UNITS:
        raise InputError(
            ErrorCode.INSTRUMENT_UNKNOWN,
            f'unknown instrument "{symbol}"',
            why="The demo lists pairs of two currencies, such as EURUSD.",
            hint=f"Use quotes of pairs of {', '.join(sorted(MINOR_UNITS))}.",
            facts={"symbol": symbol},
        )
    is_metal = base in _METALS
    asset_class = class_of_pair(base, quote)
    unit = Decimal(1) if is_metal else Decimal(1000)
    tick = Decimal("0.01") if is_metal else _COARSE_TICKS.get(quote, Decimal("0.00001"))
    return Instrument(
        symbol=symbol,
        base_currency=base,
        quote_currency=quote,
        asset_class=asset_class,
        quantity_step=unit,
        quantity_min=unit,
        quantity_max=unit * 20_000,
        price_tick=tick,
        leverage_max=500,
        leverage_max_retail=asset_class.leverage_max_retail,
        commission_per_million=COMMISSION_PER_MILLION,
        quote_age_max=QUOTE_AGE_MAX,
        is_tradable=True,
    )
