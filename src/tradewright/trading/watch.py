"""Watchers: an index in memory of what a price may set off. They only ever propose commands.

Resting orders, stop-losses and take-profits stand in sorted lists by price, so a quote costs the
same whether ten or a hundred thousand rest. Margin levels are watched by two prices per position:
as long as every symbol stays between its own two, the account's level cannot have crossed any of
its thresholds; when one is passed, the account is valued again and gets new ones. An account that
is valued through a third currency is valued again with each quote of the pairs in between. Orders
that expire stand in a list by their instant, and once proposed by that of the next attempt. A
trailing stop is moved here with each quote, and is written down when it has moved by a tenth of its
distance (decision 026). The batch asks everything again under lock.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from msgspec.structs import replace
from sortedcontainers import SortedList

from tradewright.liquidity.market import BRIDGE_CURRENCY, Market
from tradewright.liquidity.model import Side
from tradewright.risk.margin import MarginState, closing_price, margin_rate, margin_state
from tradewright.trading.liquidation import owes_what_is_forgiven
from tradewright.trading.model import (
    CheckMargin,
    ClosePosition,
    EndReducing,
    ExpireOrder,
    MoveStop,
    OrderType,
    Origin,
    TriggerOrder,
)
from tradewright.trading.price_lists import PriceLists, TrailingStops
from tradewright.trading.reducing import reducible
from tradewright.trading.rollover_watch import RETRY_AFTER, RolloverWatch
from tradewright.trading.rules import trailing_stop
from tradewright.trading.state import AccountState, Desk, OrderState, PositionState
from tradewright.trading.swaps import RollOver

Proposal = (
    RollOver | TriggerOrder | ExpireOrder | MoveStop | EndReducing | ClosePosition | CheckMargin
)

HEADROOM_SHARE = Decimal("0.8")
"""Share of an account's headroom that its symbols may use up before it is valued again."""

MOVE_SHARE_MAX = Decimal("0.05")
"""Share of a price that it may move before the account is valued again: so far a rate that moves
with the price is as good as straight."""

WRITTEN_SHARE = 10
"""A trailing stop is written down when it has moved by its distance divided by this."""

_ENDLESS = Decimal("Infinity")

_Expiry = tuple[datetime, str, str]
"""When an order is to be ended, the order, and its account; ties go to the older order."""


@dataclass(slots=True)
class _Watched:
    """An id's entries, so that they can be taken out again, and what it proposes."""

    symbol: str
    entries: list[tuple[str, tuple[Decimal, str]]]
    proposal: Proposal


class Watchers:
    """Everything that waits for a price; belongs to one thread at a time."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._lists: dict[str, PriceLists] = {}
        self._watched: dict[str, _Watched] = {}
        self._accounts: dict[str, AccountState] = {}
        self._margin_keys: dict[str, set[str]] = {}
        self._rate_pairs: dict[str, frozenset[str]] = {}
        self._by_rate: dict[str, dict[str, None]] = {}
        self._changed: dict[str, AccountState] = {}
        self._rollovers = RolloverWatch(market)
        self._expiries: SortedList[_Expiry] = SortedList()
        self._expiry_of: dict[str, _Expiry] = {}
        self._trailing: dict[str, tuple[TrailingStops, OrderState]] = {}
        self._reducers: dict[tuple[str, str], dict[str, OrderState]] = {}

    @property
    def count(self) -> int:
        """Return how many prices are watched for."""
        return len(self._watched)

    def on_price(self, symbol: str) -> list[Proposal]:
        """Return what the quote sets off: rollovers, orders whose time is over, prices reached.

        Of the prices the nearest trigger comes first, and of two that are as near the older id. A
        margin threshold that was passed without cause is moved on and proposes nothing.
        """
        proposals: list[Proposal] = [*self._rollovers.proposals(), *self._expired()]
        changed, self._changed = self._changed, {}
        converted = {key: self._accounts[key] for key in self._by_rate.get(symbol, ())}
        for account in (converted | changed).values():
            proposals.extend(self._look_at(account))
        top, lists = self._market.top(symbol), self._lists.get(symbol)
        if top is None or lists is None:
            return proposals
        for _, key in sorted(lists.fired(top)):
            watched = self._watched.get(key)
            if watched is None:
                continue
            proposal = watched.proposal
            if isinstance(proposal, CheckMargin):
                proposals.extend(self._look_at(self._accounts[proposal.account_id]))
            elif isinstance(proposal, MoveStop):
                stops, order = self._trailing[proposal.order_id]
                proposals.append(self._moved(order.id, stops.stop_of(order.id)))
            elif key in self._trailing and isinstance(proposal, TriggerOrder):
                stop_price = self._trailing[key][0].stop_of(key)
                proposals.append(replace(proposal, stop_price=stop_price))
            else:
                proposals.append(proposal)
        return _without_repeats(proposals)

    def take(self, desk: Desk) -> list[Proposal]:
        """Learn what a committed batch has left behind, and return what that sets off.

        Its accounts are valued with the next quote, once however often they traded in between.
        """
        for order in desk.changes.orders.values():
            self._take_order(order)
        for position in desk.changes.positions.values():
            self._take_position(position)
        self._rollovers.take(desk)
        self._changed.update(desk.accounts)
        touched = desk.changes.positions.values() if self._reducers else ()
        return self._idle_reducers(
            desk, {(one.account_id, one.instrument.symbol) for one in touched}
        )

    def learn(self, desk: Desk) -> list[Proposal]:
        """Learn everything that is open, when the engine starts, and return what that sets off."""
        for order in desk.orders.values():
            self._take_order(order)
        for account in desk.accounts.values():
            for position in account.open_positions:
                self._take_position(position)
        self._rollovers.learn(desk)
        self._changed.update(desk.accounts)
        return self._idle_reducers(desk, self._reducers)

    def unwritten_stops(self) -> list[Proposal]:
        """Return where the trailing stops stand that have moved since they were written down."""
        return [
            MoveStop(account_id=order.account_id, order_id=order.id, stop_price=stop_price)
            for stops, order in self._trailing.values()
            if (stop_price := stops.stop_of(order.id)) != order.stop_price
        ]

    def _take_order(self, order: OrderState) -> None:
        self._forget(order.id)
        self._forget_expiry(order.id)
        rests = order.status.is_live and not order.is_routed
        if order.is_reduce_only:
            self._take_reducer(order, rests=rests)
        if order.trailing_distance is not None and not (rests and order.awaits_trigger):
            self._follow_no_more(order)
        if rests:
            self._watch_order(order)
            if order.expires_at is not None:
                self._expiry_of[order.id] = entry = (order.expires_at, order.id, order.account_id)
                self._expiries.add(entry)

    def _take_reducer(self, order: OrderState, *, rests: bool) -> None:
        key = (order.account_id, order.instrument.symbol)
        reducers = self._reducers.setdefault(key, {})
        reducers.pop(order.id, None)
        if rests:
            reducers[order.id] = order
        elif not reducers:
            del self._reducers[key]

    def _idle_reducers(self, desk: Desk, keys: Iterable[tuple[str, str]]) -> list[Proposal]:
        """Return the ends of reduce-only orders that have nothing left to reduce."""
        return [
            EndReducing(account_id=order.account_id, order_id=order.id)
            for key in keys
            for order in self._reducers.get(key, {}).values()
            if key[0] in desk.accounts and not reducible(desk.accounts[key[0]], order)
        ]

    def _expired(self) -> list[Proposal]:
        """Return whose time is over; each comes again after a while if no batch has ended it."""
        proposals, now = list[Proposal](), self._market.now
        while self._expiries and self._expiries[0][0] <= now:
            _, order_id, account_id = self._expiries.pop(0)
            self._expiry_of[order_id] = again = (now + RETRY_AFTER, order_id, account_id)
            self._expiries.add(again)
            proposals.append(ExpireOrder(account_id=account_id, order_id=order_id))
        return proposals

    def _forget_expiry(self, order_id: str) -> None:
        entry = self._expiry_of.pop(order_id, None)
        if entry is not None:
            self._expiries.remove(entry)

    def _take_position(self, position: PositionState) -> None:
        self._forget(f"sl:{position.id}")
        self._forget(f"tp:{position.id}")
        if position.quantity:
            self._watch_protection(position)

    def _look_at(self, account: AccountState) -> list[Proposal]:
        """Value an account, set its next thresholds, and propose a check if a level is crossed."""
        for key in self._margin_keys.pop(account.id, ()):
            self._forget(key)
        for pair in self._rate_pairs.pop(account.id, ()):
            del self._by_rate[pair][account.id]
        self._accounts[account.id] = account
        positions = account.open_positions
        if not positions:
            if owes_what_is_forgiven(account) or account.margin_call_id is not None:
                return [CheckMargin(account_id=account.id)]
            self._accounts.pop(account.id)
            return []
        exposures = [position.exposure() for position in positions]
        state = margin_state(account.profile, account.holder.available, exposures, self._market)
        if state is None:
            self._changed[account.id] = account
            return []
        self._watch_margin(account, positions, state)
        self._rate_pairs[account.id] = pairs = _rate_pairs(account, positions)
        for pair in pairs:
            self._by_rate.setdefault(pair, {})[account.id] = None
        return [CheckMargin(account_id=account.id)] if _is_crossed(account, state) else []

    def _watch_order(self, order: OrderState) -> None:
        if order.trailing_distance is not None:
            self._follow(order, order.trailing_distance)
            return
        is_loss = order.awaits_trigger and order.order_type is not OrderType.TAKE_PROFIT
        price = order.stop_price if order.awaits_trigger else order.limit_price
        if price is None:
            return
        name = _away(order.side) if is_loss else _towards(order.side)
        proposal = TriggerOrder(account_id=order.account_id, order_id=order.id)
        self._watch(order.id, order.instrument.symbol, [(name, price)], proposal)

    def _follow(self, order: OrderState, distance: Decimal) -> None:
        """Let a trailing stop follow the price from where it stands, or from where it is known."""
        if order.stop_price is None or not order.awaits_trigger:
            return
        symbol = order.instrument.symbol
        stops = self._lists.setdefault(symbol, PriceLists()).trailing(order.side)
        stops.add(order.id, order.stop_price, distance)
        self._trailing[order.id] = (stops, order)
        proposal = TriggerOrder(account_id=order.account_id, order_id=order.id)
        self._watched[order.id] = _Watched(symbol, [], proposal)
        self._moved(order.id, order.stop_price)

    def _moved(self, order_id: str, written: Decimal) -> MoveStop:
        """Return where a trailing stop stands, and wait until it has gone on by a step."""
        _, order = self._trailing[order_id]
        distance = order.trailing_distance or Decimal(0)
        step = max(order.instrument.price_tick, distance / WRITTEN_SHARE)
        level = trailing_stop(order.side, written, -distance - step)
        proposal = MoveStop(account_id=order.account_id, order_id=order_id, stop_price=written)
        key = f"move:{order_id}"
        self._forget(key)
        self._watch(key, order.instrument.symbol, [(_towards(order.side), level)], proposal)
        return proposal

    def _follow_no_more(self, order: OrderState) -> None:
        self._forget(f"move:{order.id}")
        if order.id in self._trailing:
            self._trailing.pop(order.id)[0].remove(order.id)

    def _watch_protection(self, position: PositionState) -> None:
        is_long = position.quantity > 0
        for prefix, origin, level, name in (
            (
                "sl",
                Origin.STOP_LOSS,
                position.stop_loss,
                "bid_down" if is_long else "ask_up",
            ),
            (
                "tp",
                Origin.TAKE_PROFIT,
                position.take_profit,
                "bid_up" if is_long else "ask_down",
            ),
        ):
            if level is not None:
                proposal = ClosePosition(
                    account_id=position.account_id,
                    position_id=position.id,
                    symbol=position.instrument.symbol,
                    origin=origin,
                )
                key = f"{prefix}:{position.id}"
                self._watch(key, position.instrument.symbol, [(name, level)], proposal)

    def _watch_margin(
        self, account: AccountState, positions: list[PositionState], state: MarginState
    ) -> None:
        """Set two prices around each position between which no threshold can be crossed."""
        falls, rises = _headroom(account, state)
        keys = self._margin_keys.setdefault(account.id, set())
        for position in positions:
            symbol = position.instrument.symbol
            top = self._market.top(symbol)
            rate = self._market.rate(position.instrument.quote_currency, account.profile.currency)
            if top is None or rate is None:
                continue
            price = closing_price(top, position.quantity)
            value = _sensitivity(account, position, price) * rate.ask
            value *= len(positions) / HEADROOM_SHARE
            is_long = position.quantity > 0
            most = price * MOVE_SHARE_MAX
            down = price - min(most, (falls if is_long else rises) / value)
            up = price + min(most, (rises if is_long else falls) / value)
            side = "bid" if is_long else "ask"
            key = f"margin:{position.id}"
            keys.add(key)
            levels = [(f"{side}_down", down), (f"{side}_up", up)]
            self._watch(key, symbol, levels, CheckMargin(account_id=account.id))

    def _watch(
        self, key: str, symbol: str, levels: list[tuple[str, Decimal]], proposal: Proposal
    ) -> None:
        lists = self._lists.setdefault(symbol, PriceLists())
        entries = [(name, (price, key)) for name, price in levels]
        for name, entry in entries:
            getattr(lists, name).add(entry)
        self._watched[key] = _Watched(symbol, entries, proposal)

    def _forget(self, key: str) -> None:
        watched = self._watched.pop(key, None)
        if watched is not None:
            lists = self._lists[watched.symbol]
            for name, entry in watched.entries:
                getattr(lists, name).remove(entry)


def _towards(side: Side) -> str:
    """Return the list of what a better price sets off: a lower ask, a higher bid."""
    return "ask_down" if side is Side.BUY else "bid_up"


def _away(side: Side) -> str:
    """Return the list of what a worse price sets off: a higher ask, a lower bid."""
    return "ask_up" if side is Side.BUY else "bid_down"


def _is_crossed(account: AccountState, state: MarginState) -> bool:
    """Return whether the level calls for something that has not been done yet."""
    level, profile = state.level, account.profile
    if level is None:
        return False
    if account.margin_call_id is None:
        return level <= profile.margin_call_level
    return level < profile.stop_out_level or level > profile.margin_call_level


def _headroom(account: AccountState, state: MarginState) -> tuple[Decimal, Decimal]:
    """Return how much may be lost, and how much won, before the next threshold is crossed."""
    call = state.used * account.profile.margin_call_level / 100
    stop = state.used * account.profile.stop_out_level / 100
    if account.margin_call_id is None:
        return max(Decimal(0), state.equity - call), _ENDLESS
    return max(Decimal(0), state.equity - stop), max(Decimal(0), call - state.equity)


def _sensitivity(account: AccountState, position: PositionState, price: Decimal) -> Decimal:
    """Return by how much headroom shrinks for one unit of price, in quote currency, at the most.

    A loss is not all of it: the margin of a short position grows with the price, and a loss in a
    currency that falls with the price is worth more of the account's.
    """
    share = margin_rate(account.profile, position.instrument)
    grown = 1 + share * account.profile.margin_call_level / 100
    return abs(position.quantity) * max(Decimal(1), position.average_price / price) * grown


def _rate_pairs(account: AccountState, positions: Iterable[PositionState]) -> frozenset[str]:
    """Return the symbols that may convert the account's positions beside their own."""
    target = account.profile.currency
    pairs: set[str] = set()
    for position in positions:
        sources = position.instrument.base_currency, position.instrument.quote_currency
        if target in sources:
            continue
        for one in (*sources, target):
            pairs.update((one + BRIDGE_CURRENCY, BRIDGE_CURRENCY + one, one + target, target + one))
    return frozenset(pairs)


def _without_repeats(proposals: Iterable[Proposal]) -> list[Proposal]:
    return list(dict.fromkeys(proposals))
