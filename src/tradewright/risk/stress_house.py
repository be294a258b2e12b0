"""Stress of the house: what a scenario leaves of its position, its hedges and its own funds.

A provider that is lost takes two things away: what it owes, which is never paid, and its side of
the house's position, so that what it hedged is open again. Pure; `stress` has the scenario and the
accounts, `trading.stress` reads the book.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.market import Market
from tradewright.risk.stress import house_result

_HUNDRED = Decimal(100)
_NOTHING = Decimal(0)

Held = tuple[Instrument, Decimal]
"""An instrument with a signed quantity of it in base currency."""


class LostProvider(Struct, frozen=True):
    """A provider that is lost: what it owed the house before, and what the house has open there."""

    owed: Decimal = _NOTHING
    held: tuple[Held, ...] = ()


class House(Struct, frozen=True, kw_only=True):
    """What the house has: its net quantities, hedges included, who is lost, and its capital.

    `own_funds` is what it has before, `required` what it must have; None where nobody has said so.
    All money is in `currency`.
    """

    currency: str
    held: tuple[Held, ...]
    lost: tuple[LostProvider, ...] = ()
    own_funds: Decimal | None = None
    required: Decimal | None = None


class HouseOutcome(Struct, frozen=True, kw_only=True):
    """What a scenario makes of the house, in its currency; None where a price or rate is missing.

    `pnl` is what its own position wins or loses, hedges included; `provider_loss` what lost
    providers would have owed; `forgiven` what it pays for clients; `unhedged_before` and
    `unhedged` its open positions at the prices before and after, long and short alike.
    """

    currency: str
    pnl: Decimal | None
    provider_loss: Decimal | None
    forgiven: Decimal | None
    unhedged_before: Decimal | None
    unhedged: Decimal | None
    own_funds: Decimal | None = None
    required: Decimal | None = None

    @property
    def capital(self) -> Decimal | None:
        """Return what is left of the own funds; None when nobody has said what they were."""
        if self.own_funds is None or self.pnl is None:
            return None
        if self.provider_loss is None or self.forgiven is None:
            return None
        return self.own_funds + self.pnl - self.provider_loss - self.forgiven

    @property
    def ratio(self) -> Decimal | None:
        """Return the capital in percent of what is required; None without a requirement."""
        if self.capital is None or not self.required:
            return None
        return _HUNDRED * self.capital / self.required

    @property
    def shortfall(self) -> Decimal | None:
        """Return what the capital lacks to what is required, or to nothing."""
        if self.capital is None:
            return None
        return max(_NOTHING, (self.required or _NOTHING) - self.capital)


def house_outcome(
    house: House, before: Market, after: Market, forgiven: Mapping[str, Decimal]
) -> HouseOutcome:
    """Return what a move from one market to another makes of the house.

    `forgiven` is what clients are forgiven, by currency.
    """
    currency, left = house.currency, unhedged(house)
    return HouseOutcome(
        currency=currency,
        pnl=house_result(house.held, before, after, currency),
        provider_loss=_provider_loss(house, before, after),
        forgiven=_converted(forgiven, after, currency),
        unhedged_before=_gross(house.held, before, currency),
        unhedged=_gross(left, after, currency),
        own_funds=house.own_funds,
        required=house.required,
    )


def unhedged(house: House) -> list[Held]:
    """Return what the house has open when its lost providers' sides are gone."""
    left: dict[str, Held] = {instrument.symbol: (instrument, net) for instrument, net in house.held}
    for provider in house.lost:
        for instrument, quantity in provider.held:
            net = left.get(instrument.symbol, (instrument, _NOTHING))[1]
            left[instrument.symbol] = (instrument, net - quantity)
    return list(left.values())


def value(held: Held, market: Market, currency: str) -> Decimal | None:
    """Return what a signed quantity is worth at the middle; None when a price is missing."""
    instrument, quantity = held
    top, rate = market.top(instrument.symbol), market.rate(instrument.quote_currency, currency)
    if not quantity:
        return _NOTHING
    if top is None or rate is None:
        return None
    return quantity * (top.bid + top.ask) / 2 * rate.mid


def _provider_loss(house: House, before: Market, after: Market) -> Decimal | None:
    """Return what lost providers would have owed after the move; one that is owed pays nothing."""
    total = _NOTHING
    for provider in house.lost:
        moved = house_result(provider.held, before, after, house.currency)
        if moved is None:
            return None
        total += max(_NOTHING, provider.owed + moved)
    return total


def _gross(held: Iterable[Held], market: Market, currency: str) -> Decimal | None:
    return _sum([value(one, market, currency) for one in held], is_gross=True)


def _converted(sums: Mapping[str, Decimal], market: Market, currency: str) -> Decimal | None:
    rates = [(amount, market.rate(source, currency)) for source, amount in sums.items()]
    return _sum([None if rate is None else amount * rate.mid for amount, rate in rates])


def _sum(amounts: Sequence[Decimal | None], *, is_gross: bool = False) -> Decimal | None:
    total = _NOTHING
    for amount in amounts:
        if amount is None:
            return None
        total += abs(amount) if is_gross else amount
    return total
