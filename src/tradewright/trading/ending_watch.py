"""What ends resting orders without a price: their time is over, or nothing is left to reduce.

Orders that expire stand in a list by their instant, and once proposed by that of the next attempt.
Belongs to `watch`.
"""

from collections.abc import Iterable
from datetime import datetime

from sortedcontainers import SortedList

from tradewright.liquidity.market import Market
from tradewright.trading.model import EndReducing, ExpireOrder
from tradewright.trading.reducing import reducible
from tradewright.trading.rollover_watch import RETRY_AFTER
from tradewright.trading.state import Desk, OrderState

_Expiry = tuple[datetime, str, str]
"""When an order is to be ended, the order, and its account; ties go to the older order."""


class EndingWatch:
    """The orders that expire, and those that only reduce; one thread at a time."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._expiries: SortedList[_Expiry] = SortedList()
        self._expiry_of: dict[str, _Expiry] = {}
        self._reducers: dict[tuple[str, str], dict[str, OrderState]] = {}

    def expired(self) -> list[ExpireOrder]:
        """Return whose time is over; each comes again after a while if no batch has ended it."""
        proposals, now = list[ExpireOrder](), self._market.now
        while self._expiries and self._expiries[0][0] <= now:
            _, order_id, account_id = self._expiries.pop(0)
            self._expiry_of[order_id] = again = (now + RETRY_AFTER, order_id, account_id)
            self._expiries.add(again)
            proposals.append(ExpireOrder(account_id=account_id, order_id=order_id))
        return proposals

    def take_order(self, order: OrderState, *, rests: bool) -> None:
        """Watch an order from now on as it stands, or no longer."""
        entry = self._expiry_of.pop(order.id, None)
        if entry is not None:
            self._expiries.remove(entry)
        if rests and order.expires_at is not None:
            self._expiry_of[order.id] = entry = (order.expires_at, order.id, order.account_id)
            self._expiries.add(entry)
        if order.is_reduce_only:
            self._take_reducer(order, rests=rests)

    def idle_after(self, desk: Desk) -> list[EndReducing]:
        """Return the ends of orders for which the batch has left nothing to reduce."""
        if not self._reducers:
            return []
        touched = desk.changes.positions.values()
        return self._idle(desk, {(one.account_id, one.instrument.symbol) for one in touched})

    def idle(self, desk: Desk) -> list[EndReducing]:
        """Return the ends of all orders that have nothing left to reduce."""
        return self._idle(desk, self._reducers)

    def idle_of(self, desk: Desk) -> list[EndReducing]:
        """Return the ends of the desk's own orders that have nothing left to reduce."""
        return self._idle(desk, {_key(one) for one in desk.orders.values() if one.is_reduce_only})

    def _idle(self, desk: Desk, keys: Iterable[tuple[str, str]]) -> list[EndReducing]:
        return [
            EndReducing(account_id=order.account_id, order_id=order.id)
            for key in keys
            for order in self._reducers.get(key, {}).values()
            if key[0] in desk.accounts and not reducible(desk.accounts[key[0]], order)
        ]

    def _take_reducer(self, order: OrderState, *, rests: bool) -> None:
        key = _key(order)
        reducers = self._reducers.setdefault(key, {})
        reducers.pop(order.id, None)
        if rests:
            reducers[order.id] = order
        elif not reducers:
            del self._reducers[key]


def _key(order: OrderState) -> tuple[str, str]:
    """Return what orders that only reduce are found by: their account and symbol."""
    return order.account_id, order.instrument.symbol
