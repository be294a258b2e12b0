"""Margin: what a position is worth to close, what it binds, and the level of an account.

Formulas (domain rules 1.3 and 1.4): unrealised P&L is valued at the closing side, long at the
bid and short at the ask; a profit is converted at the bid of quote/account, a loss at the ask.
Used margin is quantity * rate(base to account, middle) * m, where m is the largest of 1/leverage,
the instrument's own margin rate and the regulator's minimum. Prices are current ones, for the
opening test and for the running level alike (see docs/decisions). A hedged pair binds both legs,
the larger or what is left, as its group says. Nothing is rounded here; rounding happens once, at
booking.
"""

from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct

from tradewright.liquidity.board import Top
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.market import Market, Rate
from tradewright.risk.model import ClientClass, HedgedMargin, RiskProfile

HUNDRED = Decimal(100)


class Exposure(Struct, frozen=True):
    """A signed quantity of an instrument opened at an average price."""

    instrument: Instrument
    quantity: Decimal
    average_price: Decimal


class MarginState(Struct, frozen=True):
    """Equity, used margin and level of an account at one moment, in its currency."""

    equity: Decimal
    used: Decimal

    @property
    def free(self) -> Decimal:
        """Return equity less used margin."""
        return self.equity - self.used

    @property
    def level(self) -> Decimal | None:
        """Return 100 * equity / used in percent; None when no margin is used."""
        return HUNDRED * self.equity / self.used if self.used else None


def closing_price(top: Top, quantity: Decimal) -> Decimal:
    """Return the price at which a position of `quantity` would be closed."""
    return top.bid if quantity > 0 else top.ask


def conversion(amount: Decimal, rate: Rate) -> Decimal:
    """Return the rate by which an amount is converted: bid for a profit, ask for a loss."""
    return rate.bid if amount >= 0 else rate.ask


def leverage_of(profile: RiskProfile, instrument: Instrument) -> int:
    """Return the smallest of the account's leverage and the caps of instrument and class."""
    cap = instrument.leverage_max
    if profile.client_class is ClientClass.RETAIL:
        cap = instrument.leverage_max_retail
    return min(profile.leverage, cap)


def margin_rate(profile: RiskProfile, instrument: Instrument) -> Decimal:
    """Return the share of the notional that is bound: max(1/leverage, own rate, minimum)."""
    rate = 1 / Decimal(leverage_of(profile, instrument))
    terms = instrument.margin
    if terms is None:
        return rate
    if profile.client_class is ClientClass.RETAIL:
        rate = max(rate, terms.rate_min_retail)
    return max(rate, terms.rate)


def margin_state(
    profile: RiskProfile, balance: Decimal, exposures: Iterable[Exposure], market: Market
) -> MarginState | None:
    """Return the state of an account, or None when a price or rate for it is missing."""
    if profile.hedged_margin is not HedgedMargin.SUM:
        return _paired_state(profile, balance, exposures, market)
    equity, used = balance, Decimal(0)
    for exposure in exposures:
        valued = _value(profile, exposure, market)
        if valued is None:
            return None
        equity += valued[0]
        used += valued[1]
    return MarginState(equity, used)


def _paired_state(
    profile: RiskProfile, balance: Decimal, exposures: Iterable[Exposure], market: Market
) -> MarginState | None:
    """Return the state of an account whose longs and shorts in a symbol are taken together."""
    equity = balance
    legs: dict[str, tuple[Decimal, Decimal]] = {}
    for exposure in exposures:
        valued = _value(profile, exposure, market)
        if valued is None:
            return None
        equity += valued[0]
        long, short = legs.get(exposure.instrument.symbol, (Decimal(0), Decimal(0)))
        is_long = exposure.quantity > 0
        legs[exposure.instrument.symbol] = (
            (long + valued[1], short) if is_long else (long, short + valued[1])
        )
    if profile.hedged_margin is HedgedMargin.LARGER_LEG:
        return MarginState(equity, sum((max(pair) for pair in legs.values()), Decimal(0)))
    return MarginState(equity, sum((abs(a - b) for a, b in legs.values()), Decimal(0)))


def unrealised_pnl(profile: RiskProfile, exposure: Exposure, market: Market) -> Decimal | None:
    """Return the result of closing a position now, or None when a price is missing."""
    valued = _value(profile, exposure, market)
    return None if valued is None else valued[0]


def _value(
    profile: RiskProfile, exposure: Exposure, market: Market
) -> tuple[Decimal, Decimal] | None:
    instrument, quantity = exposure.instrument, exposure.quantity
    top = market.top(instrument.symbol)
    quote_rate = market.rate(instrument.quote_currency, profile.currency)
    base_rate = market.rate(instrument.base_currency, profile.currency)
    if top is None or quote_rate is None or base_rate is None:
        return None
    pnl = (closing_price(top, quantity) - exposure.average_price) * quantity
    margin = abs(quantity * base_rate.mid) * margin_rate(profile, instrument)
    return pnl * conversion(pnl, quote_rate), margin
