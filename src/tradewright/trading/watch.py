"""Watchers: an index in memory of what a price or the time may set off. They only ever propose.

One door for the watches of rollovers, of orders that end, of prices that orders and protections
wait for, and of margin. Each learns what a committed batch has left behind, and is asked with each
quote. The batch asks everything again under lock, and its answer lets a proposal be made again.
"""

from collections.abc import Iterable

from tradewright.liquidity.market import Market
from tradewright.trading.batch import Answer
from tradewright.trading.ending_watch import EndingWatch
from tradewright.trading.house_commands import TellUnpriced
from tradewright.trading.margin_watch import MarginWatch
from tradewright.trading.model import (
    CheckMargin,
    ClosePosition,
    Command,
    EndReducing,
    ExpireOrder,
    TriggerOrder,
)
from tradewright.trading.order_watch import OrderWatch, PriceProposal
from tradewright.trading.reference import Reference
from tradewright.trading.rollover_watch import RolloverWatch
from tradewright.trading.state import Desk, OrderState
from tradewright.trading.swaps import RollOver
from tradewright.trading.unpriced_watch import UnpricedWatch

Proposal = RollOver | ExpireOrder | EndReducing | PriceProposal | CheckMargin | TellUnpriced


class Watchers:
    """Everything that waits for a price or a time; belongs to one thread at a time."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._rollovers = RolloverWatch(market)
        self._endings = EndingWatch(market)
        self._orders = OrderWatch(market)
        self._margins = MarginWatch(market)
        self._unpriced = UnpricedWatch(market)
        self._resting: dict[str, dict[str, int]] = {}
        self._touched: set[str] | None = None

    def on_price(self, symbol: str) -> list[Proposal]:
        """Return what the quote sets off.

        Rollovers come first, then the orders whose time is over, then the prices that are reached,
        then the accounts whose margin level has crossed one of its levels, then what is missing.
        """
        top = self._market.top(symbol)
        return [
            *self._rollovers.proposals(),
            *self._endings.expired(),
            *self._orders.on_price(symbol, top),
            *self._margins.on_price(symbol, top),
            *self._unpriced.proposals(),
        ]

    def on_time(self) -> list[TellUnpriced]:
        """Return what the market's time makes due while no quote comes."""
        return self._unpriced.proposals()

    def take(self, desk: Desk) -> list[EndReducing]:
        """Learn what a committed batch has left behind, and return what that sets off.

        What it has read is news too where another engine has changed it.
        """
        self._take_orders(desk.changes.orders.values())
        self._take_orders(
            order for order in desk.orders.values() if self._has_changed(order, order.version)
        )
        for account in desk.accounts.values():
            self._orders.take_positions(account)
        self._rollovers.take(desk)
        self._margins.take(desk.accounts, desk.reference)
        self._unpriced.take(desk.accounts, desk.reference)
        if self._touched is not None:
            self._touched.update(desk.accounts)
        return self._endings.idle_after(desk)

    def learn(self, desk: Desk) -> list[EndReducing]:
        """Learn everything that is open, when the engine starts, and return what that sets off."""
        self._take_orders(desk.orders.values())
        for account in desk.accounts.values():
            self._orders.take_positions(account)
        self._rollovers.learn(desk, desk.accounts)
        self._margins.take(desk.accounts, desk.reference)
        self._unpriced.take(desk.accounts, desk.reference)
        self._margins.recall(desk.stuck)
        return self._endings.idle(desk)

    def recall_unpriced(self, abouts: Iterable[str]) -> None:
        """Learn for want of which prices people were told that accounts cannot be valued."""
        self._unpriced.recall(abouts)

    def learn_terms(self, reference: Reference) -> None:
        """Learn terms of margin that have changed, though no batch has read them."""
        self._margins.take({}, reference)

    def begin_look(self, account_ids: Iterable[str]) -> list[str]:
        """Prepare for accounts that are read aside; return their orders that are known to rest."""
        self._touched = set()
        return [one for account_id in account_ids for one in self._resting.get(account_id, ())]

    def end_look(self) -> set[str]:
        """Return the accounts of own batches since: of these it is not known which is newer."""
        touched, self._touched = self._touched or set(), None
        return touched

    def look(self, desk: Desk) -> list[EndReducing]:
        """Learn accounts that another engine has changed, and return what that sets off."""
        live = [order for order in desk.orders.values() if order.status.is_live]
        new = [order for order in live if self._has_changed(order)]
        self.take(desk)
        self._take_orders(new)
        self._margins.recall(desk.stuck)
        self._rollovers.learn(desk, desk.unrolled)
        return self._endings.idle_of(desk)

    def settle(self, proposal: Command, answer: Answer) -> None:
        """Learn what became of a proposal; it may be made again from then on."""
        if isinstance(proposal, TriggerOrder | ClosePosition):
            self._orders.settle(proposal, answer)
        elif isinstance(proposal, CheckMargin):
            self._margins.settle(proposal, answer)
        elif isinstance(proposal, TellUnpriced):
            self._unpriced.settle(proposal, answer)

    def unwritten_stops(self) -> list[Proposal]:
        """Return where the trailing stops stand that have moved since they were written down."""
        return [*self._orders.unwritten_stops()]

    def _take_orders(self, orders: Iterable[OrderState]) -> None:
        for order in orders:
            rests = order.status.is_live and not order.is_routed
            self._note(order, rests=rests)
            self._orders.take_order(order, rests=rests)
            self._endings.take_order(order, rests=rests)

    def _note(self, order: OrderState, *, rests: bool) -> None:
        resting = self._resting.get(order.account_id)
        if rests:
            if resting is None:
                resting = self._resting[order.account_id] = {}
            resting[order.id] = order.version
        elif resting is not None:
            resting.pop(order.id, None)
            if not resting:
                del self._resting[order.account_id]

    def _has_changed(self, order: OrderState, unknown: int | None = None) -> bool:
        """Return whether an order is not as it is known; `unknown` is the version of a new one."""
        resting = self._resting.get(order.account_id)
        known = unknown if resting is None else resting.get(order.id, unknown)
        return known != order.version
