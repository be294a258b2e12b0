"""What an account's orders that have not dealt bind, in groups where they do (`max_side`).

Of each symbol the larger of two sides binds (domain rule 1.4): the position with all that may still
be bought, or with all that may still be sold: max(m * (buys + position), m * (sells - position)).
Where positions hedge each other both sides may come to be open, and both are counted. An order
that only reduces binds nothing, and of alternatives the largest does. What would be opened is
worth what it would deal at now, whatever its limit; so to deal what is bound never binds more.

Asked are new orders, replacements and withdrawals. While nothing has a fresh price an order is
asked by the last ones known, which go into its record. When its price comes it is asked as in any
group, with its costs: none ends because of another that only rests. Levels and stop-outs see
positions only.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from tradewright.liquidity.last_prices import LastPrices
from tradewright.liquidity.market import Prices
from tradewright.liquidity.model import Side
from tradewright.risk.margin import Exposure, margin_state, tiers_of
from tradewright.risk.model import PendingMargin, RiskProfile
from tradewright.trading.groups import PositionMode
from tradewright.trading.opening_rates import opening_rate
from tradewright.trading.rules import dealing_price
from tradewright.trading.state import AccountState, OrderState

_NOTHING = Decimal(0)

_Sides = Mapping[Side, Decimal]
"""Quantities by side, without sign."""


def binds_pending(account: AccountState) -> bool:
    """Return whether orders that have not dealt bind margin in an account."""
    return account.group.pending_margin is PendingMargin.MAX_SIDE


def pending_beside(
    account: AccountState, order: OrderState, *, rests: bool
) -> list[OrderState] | None:
    """Return what counts beside an order that arrives: itself, if it rests, and all that may open.

    The alternatives of one that deals count no more, as it takes their place. None where nothing
    is counted: in other groups, and for an order that was taken before and was asked then.
    """
    if order.version or not binds_pending(account):
        return None
    found = [one for one in pending_orders(account) if one.id != order.id]
    if rests:
        return [*found, order]
    if order.oco_group is None:
        return found
    return [one for one in found if one.oco_group != order.oco_group]


def pending_orders(account: AccountState) -> list[OrderState]:
    """Return the orders that may still open something."""
    return [
        one
        for one in account.live_orders.values()
        if one.remaining_quantity and not one.is_reduce_only and one.position_id is None
    ]


def binds_at_rest(
    account: AccountState, order: OrderState, pending: Iterable[OrderState] | None
) -> bool:
    """Return whether an order that is to rest may come to bind more than it does.

    Not if all of its side would only reduce, whichever order is first; and one that is replaced
    not unless it asks for more.
    """
    if pending is None or order.is_reduce_only:
        return False
    before = account.live_orders.get(order.id)
    if before is not None and order.remaining_quantity <= before.remaining_quantity:
        return False
    if _hedges(account):
        return True
    symbol, side = order.instrument.symbol, order.side
    sides = _each_side(_units(one for one in pending if one.instrument.symbol == symbol))
    return sides[side] + account.held(symbol) * side.sign > 0


def prices_at_rest(prices: Prices, account: AccountState, orders: Sequence[OrderState]) -> Prices:
    """Return the prices by which orders of a symbol that rest are asked.

    Where the last ones known are asked for and it has had none, their own: the highest of them. But
    not where something is open in it, as that would be worth then what its client says.
    """
    if not isinstance(prices, LastPrices) or account.positions.get(orders[0].instrument.symbol):
        return prices
    own = [price for one in orders if (price := one.limit_price or one.stop_price) is not None]
    return prices.with_own_price(orders[0].instrument, max(own)) if own else prices


def bound_beside(
    market: Prices,
    account: AccountState,
    held: Mapping[str, Sequence[Exposure]],
    orders: Iterable[OrderState],
    counted: Sequence[Exposure],
) -> Decimal | None:
    """Return what orders bind beyond all exposures that are `counted`, or None without a price.

    `held` is what is open of each symbol, the oldest first.
    """
    by_symbol: dict[str, list[OrderState]] = {}
    for order in orders:
        by_symbol.setdefault(order.instrument.symbol, []).append(order)
    total = _NOTHING
    for symbol, of_symbol in by_symbol.items():
        prices = prices_at_rest(market, account, of_symbol)
        most = _most(prices, account, held.get(symbol, ()), of_symbol)
        own = [one for one in counted if one.instrument.symbol == symbol]
        already = _used(account.profile, own, prices)
        if most is None or already is None:
            return None
        total += max(_NOTHING, most - already)
    return total


def _most(
    market: Prices, account: AccountState, held: Sequence[Exposure], orders: list[OrderState]
) -> Decimal | None:
    """Return the most that a symbol may come to bind when its orders deal."""
    most = _NOTHING
    for outcome in _outcomes(account, orders):
        opened = _opened(market, account, orders[0], outcome)
        if opened is None:
            return None
        used = _used(account.profile, _beside(account, held, opened), market)
        if used is None:
            return None
        most = max(most, used)
    return most


def _outcomes(account: AccountState, orders: Iterable[OrderState]) -> list[_Sides]:
    """Return what may be dealt together of a symbol: one side, or in hedging both.

    There alternatives count on their larger side; but on both where tiers may let the smaller one
    bind more.
    """
    units = _units(orders)
    sides = _each_side(units)
    outcomes: list[_Sides] = [{side: sides[side]} for side in Side]
    if not _hedges(account):
        return outcomes
    if any(tiers_of(order.instrument) for order in orders):
        return [*outcomes, sides]
    larger = [max(unit.items(), key=lambda one: (one[1], one[0] is Side.BUY)) for unit in units]
    return [*outcomes, _each_side([dict([one]) for one in larger])]


def _units(orders: Iterable[OrderState]) -> list[dict[Side, Decimal]]:
    """Return what orders may deal, and alternatives as one: on each side their largest."""
    units: dict[tuple[str | None, str | None], dict[Side, Decimal]] = {}
    for order in orders:
        key = (None, order.id) if order.oco_group is None else (order.oco_group, None)
        unit = units.setdefault(key, {})
        unit[order.side] = max(unit.get(order.side, _NOTHING), order.remaining_quantity)
    return list(units.values())


def _each_side(units: Iterable[_Sides]) -> dict[Side, Decimal]:
    sides = dict.fromkeys(Side, _NOTHING)
    for unit in units:
        for side, quantity in unit.items():
            sides[side] += quantity
    return sides


def _opened(
    market: Prices, account: AccountState, order: OrderState, outcome: _Sides
) -> list[Exposure] | None:
    """Return quantities of an order's symbol as if they had been dealt just now."""
    instrument = order.instrument
    top = market.top(instrument.symbol)
    rate = market.rate(instrument.quote_currency, account.profile.currency)
    if top is None or rate is None:
        return None
    opened = []
    for side, quantity in outcome.items():
        price = dealing_price(top, side)
        worth = opening_rate(account, price, rate.mid)
        opened.append(Exposure(instrument, quantity * side.sign, price, worth))
    return opened


def _beside(
    account: AccountState, held: Sequence[Exposure], opened: Sequence[Exposure]
) -> list[Exposure]:
    """Return what would be open of a symbol; but in hedging, what is dealt closes first."""
    total = sum((one.quantity for one in held), _NOTHING)
    if _hedges(account) or total * opened[0].quantity >= 0:
        return [*held, *opened]
    added = opened[0]
    left = total + added.quantity
    if left * added.quantity <= 0:
        return list(held)
    return [Exposure(added.instrument, left, added.average_price, added.opening_rate)]


def _hedges(account: AccountState) -> bool:
    return account.group.position_mode is PositionMode.HEDGING


def _used(profile: RiskProfile, exposures: Iterable[Exposure], market: Prices) -> Decimal | None:
    state = margin_state(profile, _NOTHING, exposures, market)
    return None if state is None else state.used


def held_by(account: AccountState) -> dict[str, list[Exposure]]:
    """Return what an account holds by symbol, as margin sees it."""
    return {
        symbol: [one.exposure() for one in positions]
        for symbol, positions in account.positions.items()
    }
