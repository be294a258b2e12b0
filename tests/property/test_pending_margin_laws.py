"""Laws of what orders bind before they deal, for every account, book of orders and way to deal it.

The accounts are in memory; what an order deals is booked as the engine's own matching says.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal, localcontext
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as copy_with

from tests.floor import PAIRS, market_of
from tests.property.test_in_flight_laws import account_with, order_of
from tests.property.test_margin_laws import terms
from tradewright.core.ids import new_id_text
from tradewright.liquidity.instrument import Instrument, MarginTerms, MarginTier
from tradewright.risk.margin import Exposure, margin_state
from tradewright.risk.model import (
    ClientClass,
    HedgedMargin,
    MarginPrice,
    PendingMargin,
    RiskProfile,
)
from tradewright.trading.groups import AccountGroup, PositionMode
from tradewright.trading.pending import (
    binds_at_rest,
    bound_beside,
    held_by,
    pending_beside,
    pending_orders,
)
from tradewright.trading.positions import match_fill
from tradewright.trading.state import AccountState, OrderState, PositionState

MARKET = market_of({"EURGBP": ("0.87", "0.88"), "EURUSD": ("1.1", "1.2"), "GBPUSD": ("1.3", "1.4")})
MID = Decimal("1.15")
DUST = Decimal("1e-15")
NOTHING = Decimal(0)

SYMBOLS = {one.symbol: one for one in PAIRS[:3]}

quantities = st.integers(-20, 20).filter(bool).map(lambda steps: Decimal(steps * 1_000))
asked = st.tuples(
    st.sampled_from(sorted(SYMBOLS)), quantities, st.sampled_from([None, None, "one", "other"])
)
"""Symbol, signed quantity and group of alternatives of an order."""


class World:
    """One account in a group whose orders bind margin at rest; orders come to rest and deal."""

    def __init__(
        self,
        mode: PositionMode,
        rule: HedgedMargin,
        listed: dict[str, Instrument],
        orders: Sequence[tuple[str, Decimal, str | None]],
    ) -> None:
        self.listed = listed
        profile = RiskProfile(ClientClass.PROFESSIONAL, "USD", 100, Decimal(100), Decimal(50), rule)
        group = AccountGroup(code=mode, position_mode=mode, pending_margin=PendingMargin.MAX_SIDE)
        self.account: AccountState = copy_with(
            account_with(NOTHING, []), group=group, profile=profile, live_orders={}
        )
        for one in orders:
            self.rest(*one)

    def order(self, symbol: str, signed: Decimal, alternatives: str | None) -> OrderState:
        """Return an order that has not arrived yet."""
        made = order_of(self.account.id, signed)
        group = None if alternatives is None else f"{symbol}-{alternatives}"
        instrument = self.listed[symbol]
        return copy_with(made, instrument=instrument, is_routed=False, oco_group=group)

    def rest(self, symbol: str, signed: Decimal, alternatives: str | None) -> OrderState:
        """Let an order come to rest."""
        order = self.order(symbol, signed, alternatives)
        self.account.live_orders[order.id] = order
        return order

    def bound(self, orders: list[OrderState] | None = None) -> Decimal:
        """Return all that the account binds, at rest and open."""
        account = self.account
        held = held_by(account)
        counted = [one for of_symbol in held.values() for one in of_symbol]
        with localcontext(prec=60):
            pending = pending_orders(account) if orders is None else orders
            beyond = bound_beside(MARKET, account, held, pending, counted)
            assert beyond is not None
            assert beyond >= 0
            return self.used(counted) + beyond

    def used(self, exposures: list[Exposure]) -> Decimal:
        """Return what exposures bind."""
        with localcontext(prec=60):
            state = margin_state(self.account.profile, NOTHING, exposures, MARKET)
        assert state is not None
        return state.used

    def deal(self, order: OrderState, quantity: Decimal) -> None:
        """Book a part of an order; its alternatives lose as much, or end."""
        order.remaining_quantity -= quantity
        for other in self.account.live_orders.values():
            is_same = other is order or order.oco_group is None
            if not is_same and other.oco_group == order.oco_group:
                left = max(NOTHING, other.remaining_quantity - quantity)
                other.remaining_quantity = left if order.remaining_quantity else NOTHING
        matched = match_fill(self.account, order, quantity * order.side.sign)
        symbol = order.instrument.symbol
        held = self.account.positions.setdefault(symbol, [])
        for position, part in matched.closes:
            position.quantity += part
        held[:] = [one for one in held if one.quantity]
        if matched.opens:
            self._open(held, order.instrument, matched.opens)
        if not held:
            del self.account.positions[symbol]

    def _open(self, held: list[PositionState], instrument: Instrument, opens: Decimal) -> None:
        if held and self.account.nets:
            held[0].quantity += opens
            return
        made = account_with(opens, []).positions["EURUSD"][0]
        held.append(copy_with(made, id=new_id_text(), instrument=instrument))


listings = st.tuples(terms, terms, terms).map(
    lambda drawn: {
        symbol: replace(SYMBOLS[symbol], margin=one)
        for symbol, one in zip(SYMBOLS, drawn, strict=True)
    }
)


def worlds_of(listed: st.SearchStrategy[dict[str, Instrument]]) -> st.SearchStrategy[World]:
    modes, rules = st.sampled_from(PositionMode), st.sampled_from(HedgedMargin)
    return st.builds(World, modes, rules, listed, st.lists(asked, max_size=8))


worlds = worlds_of(listings)


def deal_at_random(world: World, chance: Random, turns: int) -> None:
    for _ in range(turns):
        live = [one for one in world.account.live_orders.values() if one.remaining_quantity]
        if not live:
            return
        order = chance.choice(live)
        world.deal(order, order.remaining_quantity * chance.choice([1, 2, 4]) / 4)


@given(worlds, st.randoms(use_true_random=False))
def test_to_deal_what_is_bound_never_binds_more(world: World, chance: Random) -> None:
    before = world.bound()
    for _ in range(12):
        deal_at_random(world, chance, 1)
        after = world.bound()
        assert after <= before + DUST
        before = after


def test_with_tiers_the_smaller_alternative_may_bind_more() -> None:
    """Long 10,000: five more are in the dear bracket, six to sell would not be."""
    dear = MarginTerms(tiers=(MarginTier(Decimal(10_000), Decimal("0.5")),))
    listed = {"EURUSD": replace(SYMBOLS["EURUSD"], margin=dear)}
    world = World(PositionMode.HEDGING, HedgedMargin.SUM, listed, [])
    world.deal(world.rest("EURUSD", Decimal(10_000), None), Decimal(10_000))
    smaller = world.rest("EURUSD", Decimal(5_000), "one")
    world.rest("EURUSD", Decimal(-6_000), "one")
    world.rest("EURUSD", Decimal(-1_000), None)
    before = world.bound()
    world.deal(smaller, Decimal(5_000))
    assert world.bound() == (100 + 2_500 + 10) * MID <= before


def test_what_only_reduces_binds_nothing_whatever_the_position_was_worth() -> None:
    """Opened when a euro was half a dollar, it binds 50; nine tenths of it now would bind 99."""
    world = World(PositionMode.NETTING, HedgedMargin.SUM, SYMBOLS, [])
    world.account.group = copy_with(world.account.group, margin_price=MarginPrice.OPEN)
    world.deal(world.rest("EURUSD", Decimal(10_000), None), Decimal(10_000))
    world.account.positions["EURUSD"][0].opening_rate = Decimal("0.5")
    world.rest("EURUSD", Decimal(-1_000), None)
    assert world.bound() == 50


@given(
    st.sampled_from([PositionMode.NETTING, PositionMode.FIFO]),
    st.just(NOTHING) | quantities,
    st.lists(quantities, max_size=8),
)
def test_where_positions_net_the_larger_side_binds(
    mode: PositionMode, held: Decimal, resting: list[Decimal]
) -> None:
    """max(m * (buys + position), m * (sells - position)), and the position while it is there."""
    world = World(mode, HedgedMargin.SUM, SYMBOLS, [("EURUSD", one, None) for one in resting])
    if held:
        world.deal(world.rest("EURUSD", held, None), abs(held))
    buys = sum((one for one in resting if one > 0), NOTHING)
    sells = -sum((one for one in resting if one < 0), NOTHING)
    with localcontext(prec=60):
        expected = max(buys + held, sells - held, abs(held)) * MID / 100
        assert abs(world.bound() - expected) <= DUST


@given(st.just(NOTHING) | quantities, st.lists(quantities, max_size=8))
def test_where_positions_hedge_both_sides_bind(held: Decimal, resting: list[Decimal]) -> None:
    orders = [("EURUSD", one, None) for one in resting]
    world = World(PositionMode.HEDGING, HedgedMargin.SUM, SYMBOLS, orders)
    if held:
        world.deal(world.rest("EURUSD", held, None), abs(held))
    with localcontext(prec=60):
        expected = sum((abs(one) for one in [held, *resting]), NOTHING) * MID / 100
        assert abs(world.bound() - expected) <= DUST


@given(worlds, asked, st.integers(0, 12), st.randoms(use_true_random=False))
def test_one_order_more_never_binds_less_and_nothing_where_it_is_not_asked(
    world: World, one: tuple[str, Decimal, str | None], turns: int, chance: Random
) -> None:
    deal_at_random(world, chance, turns)
    before = world.bound()
    order = world.order(*one)
    pending = pending_beside(world.account, order, rests=True)
    after = world.bound(pending)
    assert after >= before
    if not binds_at_rest(world.account, order, pending):
        assert after == before


@given(worlds_of(st.just(SYMBOLS)), st.integers(0, 12), st.randoms(use_true_random=False))
def test_it_is_never_less_than_what_is_open_nor_more_than_with_all_orders_alone(
    world: World, turns: int, chance: Random
) -> None:
    """Without tiers, with which a quantity binds more on top of another than alone."""
    deal_at_random(world, chance, turns)
    held = [one for of_symbol in held_by(world.account).values() for one in of_symbol]
    most = world.used(held)
    for order in pending_orders(world.account):
        alone = Exposure(order.instrument, order.remaining_quantity, Decimal(1))
        most += world.used([alone])
    assert world.used(held) <= world.bound() <= most + DUST


@given(worlds)
def test_alternatives_bind_no_more_than_as_orders_of_their_own(world: World) -> None:
    before = world.bound()
    for order in world.account.live_orders.values():
        order.oco_group = None
    assert before <= world.bound() + DUST
