"""Margin: what a position is worth to close, what it binds, and the level of an account.

Formulas (domain rules 1.3 and 1.4): unrealised P&L is valued at the closing side, long at the
bid and short at the ask; a profit is converted at the bid of quote/account, a loss at the ask.
Equity is balance, credit and unrealised P&L.
Used margin is quantity * rate(base to account, middle) * m, where m is the largest of 1/leverage,
the instrument's own margin rate and the regulator's minimum. The rate is the current one, or that
at which the position was opened, as its group says, for the opening test and for the running level
alike (see docs/decisions); but under the rules of the United States the minimum is maintained of
what a position is worth now, whatever it was opened at. A hedged pair binds both legs, the larger
or what is left. Where an instrument has tiers, m rises with what the account has open on one side
of it: the oldest position fills the lowest bracket, and each bracket binds at its own rate, so that
no notional binds less than a smaller one. Nothing is rounded here; rounding happens once, at
booking.
"""

from collections.abc import Iterable
from decimal import Context, Decimal
from functools import cache

from msgspec import Struct

from tradewright.liquidity.board import Top
from tradewright.liquidity.instrument import Instrument, MarginTier
from tradewright.liquidity.market import Prices, Rate
from tradewright.risk.model import ClientClass, HedgedMargin, RiskProfile
from tradewright.risk.regimes import Regime, nfa_minimum

HUNDRED = Decimal(100)

_NOTHING = Decimal(0)
_ONE = Decimal(1)
_DIGITS = Context(prec=60)


class Exposure(Struct, frozen=True):
    """A signed quantity of an instrument opened at an average price.

    `opening_rate` is what one unit of base was worth in the account's currency then, where margin
    is computed at that; None where it is computed at what the unit is worth now.
    """

    instrument: Instrument
    quantity: Decimal
    average_price: Decimal
    opening_rate: Decimal | None = None


class MarginState(Struct, frozen=True):
    """Equity, used margin and level of an account at one moment, in its currency.

    Equity is balance, unrealised P&L and the credit that the house lends.
    """

    equity: Decimal
    used: Decimal
    credit: Decimal = _NOTHING

    @property
    def own(self) -> Decimal:
        """Return equity less credit: what would be the client's if all were closed now."""
        return self.equity - self.credit

    @property
    def free(self) -> Decimal:
        """Return equity less used margin."""
        return self.equity - self.used

    @property
    def level(self) -> Decimal | None:
        """Return 100 * equity / used in percent; None when no margin is used."""
        return HUNDRED * self.equity / self.used if self.used else None

    def is_below(self, percent: Decimal) -> bool:
        """Return whether the level is below; where no margin is used, whether equity is below 0."""
        level = self.level
        return self.equity < 0 if level is None else level < percent

    def is_above(self, percent: Decimal) -> bool:
        """Return whether the level is above; where no margin is used, whether nothing is owed."""
        level = self.level
        return self.equity >= 0 if level is None else level > percent


def closing_price(top: Top, quantity: Decimal) -> Decimal:
    """Return the price at which a position of `quantity` would be closed."""
    return top.bid if quantity > 0 else top.ask


def conversion(amount: Decimal, rate: Rate) -> Decimal:
    """Return the rate by which an amount is converted: bid for a profit, ask for a loss."""
    return rate.bid if amount >= 0 else rate.ask


def leverage_of(profile: RiskProfile, instrument: Instrument) -> int:
    """Return the smallest of the account's leverage and the caps of instrument and class."""
    cap = instrument.leverage_max
    if profile.client_class is ClientClass.RETAIL and profile.regime is Regime.ESMA:
        cap = instrument.leverage_max_retail
    return min(profile.leverage, cap)


@cache
def _reciprocal(leverage: int) -> Decimal:
    """Return 1 / leverage to as many digits for everybody, whoever asks first."""
    return _DIGITS.divide(_ONE, Decimal(leverage))


def _us_minimum(instrument: Instrument) -> Decimal:
    """Return the least share under the rules of the United States, raised ones included."""
    own = _NOTHING if instrument.margin is None else instrument.margin.rate
    return max(nfa_minimum(instrument), own)


def margin_rate(profile: RiskProfile, instrument: Instrument) -> Decimal:
    """Return the share of the notional that is bound: max(1/leverage, own rate, minimum)."""
    rate = _reciprocal(leverage_of(profile, instrument))
    is_esma = profile.regime is Regime.ESMA
    if not is_esma:
        rate = max(rate, _us_minimum(instrument))
    terms = instrument.margin
    if terms is None:
        return rate
    if is_esma and profile.client_class is ClientClass.RETAIL:
        rate = max(rate, terms.rate_min_retail)
    return max(rate, terms.rate)


def tiers_of(instrument: Instrument) -> tuple[MarginTier, ...]:
    """Return the brackets above the first; most instruments have none."""
    return () if instrument.margin is None else instrument.margin.tiers


def steepest_rate(profile: RiskProfile, instrument: Instrument, quantity: Decimal) -> Decimal:
    """Return the share that the last unit of a quantity binds: no unit of it binds more."""
    reached = [tier.rate for tier in tiers_of(instrument) if tier.above < quantity]
    return max(margin_rate(profile, instrument), *reached, _NOTHING)


def bound(profile: RiskProfile, instrument: Instrument, quantity: Decimal) -> Decimal:
    """Return what a quantity on one side binds, in base currency: continuous, and never falling.

    Each bracket binds at the highest rate of the tiers up to it.
    """
    total, lower, rate = _NOTHING, _NOTHING, margin_rate(profile, instrument)
    for tier in tiers_of(instrument):
        if quantity <= tier.above:
            break
        total += (tier.above - lower) * rate
        lower, rate = tier.above, max(rate, tier.rate)
    return total + (quantity - lower) * rate


def state_at_rest(balance: Decimal, credit: Decimal) -> MarginState:
    """Return the state of an account in which nothing is open."""
    return MarginState(balance + credit, _NOTHING, credit)


def margin_state(
    profile: RiskProfile, balance: Decimal, exposures: Iterable[Exposure], market: Prices
) -> MarginState | None:
    """Return the state of an account, or None when a price or rate for it is missing.

    Of the exposures on one side of a symbol the oldest comes first.
    """
    if profile.hedged_margin is not HedgedMargin.SUM:
        return _paired_state(profile, balance, exposures, market)
    equity, used, filled = balance + profile.credit, _NOTHING, _Filled()
    for exposure in exposures:
        valued = _value(profile, exposure, market)
        if valued is None:
            return None
        equity += valued[0]
        used += _margin(profile, exposure, valued, filled)
    return MarginState(equity, used, profile.credit)


class _Leg(Struct):
    """All that is open on one side of a symbol, and what it binds by itself."""

    quantity: Decimal = _NOTHING
    margin: Decimal = _NOTHING


def _paired_state(
    profile: RiskProfile, balance: Decimal, exposures: Iterable[Exposure], market: Prices
) -> MarginState | None:
    """Return the state of an account whose longs and shorts in a symbol are taken together."""
    equity, filled = balance + profile.credit, _Filled()
    pairs: dict[str, tuple[Instrument, _Leg, _Leg]] = {}
    for exposure in exposures:
        valued = _value(profile, exposure, market)
        if valued is None:
            return None
        instrument, quantity = exposure.instrument, abs(exposure.quantity)
        pair = pairs.setdefault(instrument.symbol, (instrument, _Leg(), _Leg()))
        leg = pair[1] if exposure.quantity > 0 else pair[2]
        equity += valued[0]
        leg.quantity += quantity
        leg.margin += _margin(profile, exposure, valued, filled)
    used = sum((_pair_margin(profile, *pair) for pair in pairs.values()), _NOTHING)
    return MarginState(equity, used, profile.credit)


def _pair_margin(profile: RiskProfile, instrument: Instrument, long: _Leg, short: _Leg) -> Decimal:
    """Return what a hedged pair binds: the larger leg, or the share of its leg that is left."""
    if profile.hedged_margin is HedgedMargin.LARGER_LEG:
        return max(long.margin, short.margin)
    left = abs(long.quantity - short.quantity)
    leg = long if long.quantity > short.quantity else short
    if not left:
        return _NOTHING
    return leg.margin * bound(profile, instrument, left) / bound(profile, instrument, leg.quantity)


def unrealised_pnl(profile: RiskProfile, exposure: Exposure, market: Prices) -> Decimal | None:
    """Return the result of closing a position now, or None when a price is missing."""
    valued = _value(profile, exposure, market)
    return None if valued is None else valued[0]


_Valued = tuple[Decimal, Decimal, Decimal]
"""The result of closing now, what a unit of base is worth by which it binds margin, without its
sign, and what a unit binds at the least."""


def _value(profile: RiskProfile, exposure: Exposure, market: Prices) -> _Valued | None:
    instrument, quantity = exposure.instrument, exposure.quantity
    top = market.top(instrument.symbol)
    quote_rate = market.rate(instrument.quote_currency, profile.currency)
    base_rate = market.rate(instrument.base_currency, profile.currency)
    if top is None or quote_rate is None or base_rate is None:
        return None
    pnl = (closing_price(top, quantity) - exposure.average_price) * quantity
    result = pnl * conversion(pnl, quote_rate)
    if exposure.opening_rate is None:
        return result, abs(base_rate.mid), _NOTHING
    is_us = profile.regime is Regime.US
    least = abs(base_rate.mid) * _us_minimum(instrument) if is_us else _NOTHING
    return result, abs(exposure.opening_rate), least


_Filled = dict[tuple[str, bool], Decimal]
"""What has filled the brackets so far, by symbol and whether it is long."""


def _margin(profile: RiskProfile, exposure: Exposure, valued: _Valued, filled: _Filled) -> Decimal:
    """Return what an exposure binds in the brackets that are left to it, and fill those."""
    instrument, quantity = exposure.instrument, abs(exposure.quantity)
    _, rate, least = valued
    if not tiers_of(instrument):
        return quantity * max(rate * margin_rate(profile, instrument), least)
    key = (instrument.symbol, exposure.quantity > 0)
    before = filled.get(key, _NOTHING)
    filled[key] = after = before + quantity
    bracketed = bound(profile, instrument, after) - bound(profile, instrument, before)
    return max(bracketed * rate, quantity * least)
