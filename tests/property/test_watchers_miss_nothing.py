"""The watchers propose, on every quote, all that a look at every order and account would find.

A world of accounts in memory trades at random on a random walk. What the batch decides is decided
by the real decision; only the database is left out, for nothing is written.
"""

from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import cycle
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.floor import PAIRS, market_of, order, set_price
from tradewright.core.ids import new_id_text
from tradewright.ledger.model import Holder, HolderKind, HouseCode
from tradewright.liquidity.instrument import Instrument, MarginTerms, MarginTier
from tradewright.liquidity.market import Market
from tradewright.liquidity.model import Side
from tradewright.risk.margin import margin_state
from tradewright.risk.model import ClientClass, RiskProfile
from tradewright.routing.model import Book
from tradewright.trading import rules
from tradewright.trading.decide import decide
from tradewright.trading.groups import STANDARD, AccountGroup, PositionMode
from tradewright.trading.model import (
    CheckMargin,
    ClosePosition,
    Command,
    ExpireOrder,
    MarginReport,
    OrderType,
    Origin,
    TimeInForce,
    TriggerOrder,
)
from tradewright.trading.outstanding import is_put_off
from tradewright.trading.reference import Reference
from tradewright.trading.state import AccountState, Desk, OrderState, PositionState
from tradewright.trading.unbooked import RETRY_AFTER
from tradewright.trading.watch import Watchers

TERMS = {
    "GBPUSD": MarginTerms(rate=Decimal("0.05")),
    "USDJPY": MarginTerms(tiers=(MarginTier(Decimal(100_000), Decimal("0.2")),)),
}
"""Two of the symbols bind more than the leverage says."""

LISTED = {one.symbol: replace(one, margin=TERMS.get(one.symbol)) for one in PAIRS}

OPENING = {"EURGBP": 88_000, "EURUSD": 110_000, "GBPUSD": 125_000, "USDJPY": 150_000}
"""Symbol → opening bid in ticks."""

ACCOUNTS = (
    ("USD", 1, ClientClass.PROFESSIONAL, "300000"),
    ("USD", 2, ClientClass.RETAIL, "200000"),
    ("USD", 30, ClientClass.RETAIL, "20000"),
    ("EUR", 5, ClientClass.PROFESSIONAL, "60000"),
    ("JPY", 100, ClientClass.PROFESSIONAL, "1000000"),
    ("GBP", 500, ClientClass.PROFESSIONAL, "5000"),
)
KINDS = ("market", "market", "limit", "stop", "stop_limit", "trailing", "take_profit")
HOUSE = {code: new_id_text() for code in HouseCode}
REFERENCE = Reference(
    version=1,
    instruments=LISTED,
    groups={STANDARD: AccountGroup(code=STANDARD)},
    provider_ids={"LP-ONE": new_id_text()},
    provider_priorities={},
    disabled_providers=frozenset(),
    house=dict.fromkeys(("USD", "EUR", "JPY", "GBP"), HOUSE),
)


MODES = cycle(PositionMode)
"""Each two of the accounts keep positions in one mode."""


def open_account(currency: str, leverage: int, client_class: ClientClass, money: str) -> Any:
    account_id = new_id_text()
    return AccountState(
        group=AccountGroup(code=STANDARD, position_mode=next(MODES)),
        id=account_id,
        is_active=True,
        book=Book.B,
        profile=RiskProfile(
            client_class,
            currency,
            leverage,
            Decimal(100),
            Decimal(50),
            credit=Decimal(0) if client_class is ClientClass.RETAIL else Decimal(money) / 2,
        ),
        holder=Holder.locked(
            HolderKind.ACCOUNT,
            holder_id=account_id,
            user_id=new_id_text(),
            currency=currency,
            available=Decimal(money),
            version=1,
        ),
        margin_call_id=None,
    )


@dataclass(slots=True)
class World:
    """Everything that a database would hold, and the watchers over it."""

    market: Market = field(default_factory=lambda: market_of({}))
    ticks: dict[str, int] = field(default_factory=lambda: dict(OPENING))
    accounts: dict[str, AccountState] = field(
        default_factory=lambda: {one.id: one for one in (open_account(*a) for a in ACCOUNTS)}
    )
    orders: dict[str, OrderState] = field(default_factory=dict)
    best: dict[str, Decimal] = field(default_factory=dict)
    put_off: dict[Command, datetime] = field(default_factory=dict)
    watchers: Watchers = field(init=False)

    def __post_init__(self) -> None:
        self.watchers = Watchers(self.market)

    def batch(self, commands: list[Command]) -> None:
        """Decide commands on copies of the rows, as a batch reads them, and teach the watchers."""
        self.accounts, self.orders = deepcopy((self.accounts, self.orders))
        desk = self.desk([command.account_id for command in commands])
        answers = decide(desk, commands)
        self.reducers_open_nothing(desk)
        follow = self.watchers.take(desk)
        for command, answer in zip(commands, answers, strict=True):
            self.watchers.settle(command, answer)
            if is_put_off(answer) and isinstance(command, ClosePosition | TriggerOrder):
                self.put_off[command] = self.market.now + RETRY_AFTER
            if isinstance(answer, MarginReport) and answer.is_stuck:
                check = CheckMargin(account_id=answer.account_id)
                self.put_off[check] = self.market.now + RETRY_AFTER
        self.orders |= desk.changes.orders
        self.orders = {one.id: one for one in self.orders.values() if one.status.is_live}
        for account in self.accounts.values():
            account.live_orders = {
                one.id: one for one in self.orders.values() if one.account_id == account.id
            }
        for one in self.orders.values():
            if one.trailing_distance is not None:
                self.best.setdefault(one.id, written_best(one))
        if follow:
            self.batch(list(follow))
        self.nothing_waits_to_reduce_nothing()

    def reducers_open_nothing(self, desk: Desk) -> None:
        """Hold the law of reduce-only: none of its fills opens a position or a part of one."""
        reducers = {one.id for one in desk.changes.orders.values() if one.is_reduce_only}
        fills = {row[0] for row in desk.changes.fills if row[1] in reducers}
        assert not [row for row in desk.changes.trades if row[3] in fills and row[5] == "open"]

    def nothing_waits_to_reduce_nothing(self) -> None:
        """Hold the other: an order that only reduces ends when its position is closed."""
        for one in self.orders.values():
            held = self.accounts[one.account_id].positions.get(one.instrument.symbol, ())
            sides = [position.quantity * one.side.sign for position in held]
            assert not one.is_reduce_only or min(sides, default=Decimal(0)) < 0

    def desk(self, account_ids: list[str]) -> Desk:
        """Lay out the rows of some accounts."""
        return Desk(
            market=self.market,
            reference=REFERENCE,
            accounts={one: self.accounts[one] for one in account_ids if one},
            orders=self.orders,
            orders_by_key={},
            wallets={},
            entries_before={},
        )

    def restart(self) -> None:
        """Forget all but the rows: prices are unknown, and what is open is learnt anew."""
        self.market = market_of({})
        self.watchers = Watchers(self.market)
        desk = self.desk(list(self.accounts))
        self.watchers.learn(desk)
        self.best = {key: written_best(self.orders[key]) for key in self.best if key in self.orders}

    def quote(self, symbol: str, move: int) -> list[Any]:
        """Move a price by `move` in ten thousand and return what the watchers propose."""
        self.ticks[symbol] += max(1, self.ticks[symbol] * abs(move) // 10_000) * (
            1 if move > 0 else -1
        )
        tick = instrument(symbol).price_tick
        bid = self.ticks[symbol] * tick
        self.market.advance(self.market.now + timedelta(seconds=abs(move) % 7))
        set_price(self.market, symbol, bid, bid + 8 * tick)
        for one in self.orders.values():
            if one.id in self.best and one.instrument.symbol == symbol:
                is_sale = one.side is Side.SELL
                seen = (
                    max(self.best[one.id], bid)
                    if is_sale
                    else min(self.best[one.id], bid + 8 * tick)
                )
                self.best[one.id] = seen
        return self.watchers.on_price(symbol)

    def expected(self, symbol: str) -> set[Any]:
        """Look at every order, protection and account for what the present price sets off."""
        found: set[Any] = set()
        top = self.market.top(symbol)
        assert top is not None
        for one in self.orders.values():
            if one.expires_at is not None and one.expires_at <= self.market.now:
                found.add(ExpireOrder(account_id=one.account_id, order_id=one.id))
            if one.instrument.symbol != symbol:
                continue
            if one.trailing_distance is not None:
                stop = self.best[one.id] + one.trailing_distance * one.side.sign
                if rules.stop_is_reached(one.side, stop, top):
                    found.add(
                        TriggerOrder(account_id=one.account_id, order_id=one.id, stop_price=stop)
                    )
            elif is_due(one, top):
                found.add(TriggerOrder(account_id=one.account_id, order_id=one.id))
        for account in self.accounts.values():
            for position in account.positions.get(symbol, ()):
                found |= protections_due(position, top)
            if is_margin_due(account, self.market):
                found.add(CheckMargin(account_id=account.id))
        return {one for one in found if self.put_off.get(one, self.market.now) <= self.market.now}


def plain(proposal: Any) -> Any:
    """Return a proposal without what a check says of how long the account waits."""
    is_check = isinstance(proposal, CheckMargin)
    return CheckMargin(account_id=proposal.account_id) if is_check else proposal


def instrument(symbol: str) -> Instrument:
    return LISTED[symbol]


def written_best(one: OrderState) -> Decimal:
    assert one.stop_price is not None
    assert one.trailing_distance is not None
    return one.stop_price - one.trailing_distance * one.side.sign


def is_due(one: OrderState, top: Any) -> bool:
    if one.order_type is OrderType.TAKE_PROFIT:
        assert one.stop_price is not None
        return rules.limit_is_met(one.side, one.stop_price, top)
    if one.stop_price is not None and one.triggered_at is None:
        return rules.stop_is_reached(one.side, one.stop_price, top)
    assert one.limit_price is not None
    return rules.limit_is_met(one.side, one.limit_price, top)


def protections_due(position: PositionState, top: Any) -> set[Any]:
    found = set()
    for origin, level, is_reached in (
        (Origin.STOP_LOSS, position.stop_loss, rules.stop_loss_is_reached),
        (Origin.TAKE_PROFIT, position.take_profit, rules.take_profit_is_reached),
    ):
        if level is not None and is_reached(position.quantity, level, top):
            found.add(
                ClosePosition(
                    account_id=position.account_id,
                    position_id=position.id,
                    symbol=position.instrument.symbol,
                    origin=origin,
                )
            )
    return found


def is_margin_due(account: AccountState, market: Market) -> bool:
    """Say whether a margin check of the account would do something now."""
    balance, profile = account.holder.available, account.profile
    if not account.open_positions:
        is_retail = profile.client_class is ClientClass.RETAIL
        return account.margin_call_id is not None or (balance < 0 and is_retail)
    held = [position.exposure() for position in account.open_positions]
    state = margin_state(profile, balance, held, market)
    if state is None or state.level is None:
        return False
    if account.margin_call_id is None:
        return state.level <= profile.margin_call_level
    return state.level < profile.stop_out_level or state.level > profile.margin_call_level


def wish(world: World, random: Random) -> Command:
    """Return an order of some account, at the market or waiting, with protections or without."""
    account_id, symbol = random.choice(list(world.accounts)), random.choice(list(OPENING))
    side, kind = random.choice(list(Side)), random.choice(KINDS)
    tick = instrument(symbol).price_tick
    far = max(1, world.ticks[symbol] * random.randint(1, 900) // 20_000) * side.sign
    fields: dict[str, Any] = {"symbol": symbol}
    base = world.ticks[symbol]
    if kind in {"limit", "stop_limit"}:
        base -= far
        fields["limit_price"] = base * tick
    if kind == "take_profit":
        base -= far
        fields["stop_price"] = base * tick
        fields["order_type"] = OrderType.TAKE_PROFIT
    elif kind in {"stop", "stop_limit"}:
        base += far
        fields["stop_price"] = base * tick
    if kind == "stop_limit":
        fields["order_type"] = OrderType.STOP_LIMIT
        fields["limit_price"] = (base + random.randint(-30, 30)) * tick
    if kind == "trailing":
        fields["trailing_distance"] = abs(far) * tick
    fields["is_reduce_only"] = kind != "take_profit" and random.random() < 0.2
    if kind != "market" and random.random() < 0.3:
        fields["time_in_force"] = TimeInForce.GTD
        fields["expires_at"] = world.market.now + timedelta(seconds=random.randint(1, 60))
    if not fields["is_reduce_only"] and kind != "take_profit" and random.random() < 0.5:
        fields["stop_loss"] = (base - far - 20 * side.sign) * tick
        fields["take_profit"] = (base + far + 20 * side.sign) * tick
    return order(account_id, side, random.randint(1, 300) * 1_000, **fields)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_every_quote_proposes_all_that_it_sets_off(seed: int, all_are_priced: bool) -> None:
    random, world = Random(seed), World()  # noqa: S311 (a simulation)
    if all_are_priced:
        for symbol in OPENING:
            world.quote(symbol, 1)
    for _ in range(120):
        if random.random() < 0.3:
            world.batch([wish(world, random)])
            continue
        if random.random() < 0.02:
            world.restart()
        symbol, span = random.choice(list(OPENING)), random.choice([40, 40, 700])
        proposals = world.quote(symbol, random.randint(-span, span))
        missed = world.expected(symbol) - {plain(one) for one in proposals}
        assert not missed
        assert len(set(proposals)) == len(proposals)
        if proposals:
            world.batch(proposals)
