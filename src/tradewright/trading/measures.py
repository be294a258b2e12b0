"""What a batch does with markouts that were measured: one row for each client, under its lock."""

from datetime import timedelta
from decimal import Decimal

from tradewright.liquidity.market import Market
from tradewright.routing.markouts import Markouts, with_trades
from tradewright.routing.model import Book
from tradewright.trading.house_commands import BookMarkouts
from tradewright.trading.model import NothingDone
from tradewright.trading.state import Desk

MEASURED_MAX = 100
"""So many measured fills are booked at once; fewer wait for their time."""

BOOKED_EVERY = timedelta(seconds=60)
"""Market time after which the fills measured since are booked, however few."""


def book_markouts(desk: Desk, command: BookMarkouts) -> NothingDone:
    """Add measured fills to the profiles of their clients."""
    changed = with_trades(desk.profiles, command.measured)
    desk.profiles.update(changed)
    desk.changes.profiles.update(changed)
    return NothingDone("profiles are no client's order")


class Measuring:
    """Measures the fills of hybrid orders as the market moves; belongs to one thread."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._markouts = Markouts()
        self._booked_at = market.now

    def take(self, desk: Desk) -> None:
        """Begin to measure what a committed batch has dealt of hybrid orders."""
        for row in desk.changes.fills:
            order, price = desk.changes.orders[str(row[1])], row[3]
            if order.book is Book.HYBRID and isinstance(price, Decimal):
                user_id = desk.accounts[order.account_id].holder.user_id
                fill = (user_id, order.side.sign, price)
                self._markouts.dealt(order.instrument.symbol, fill, self._market.now)

    def on_price(self, symbol: str) -> list[BookMarkouts]:
        """Note where the middle stands; return what is to be booked of what was measured."""
        mid = self._market.note_mid(symbol)
        if mid is not None:
            self._markouts.on_mid(symbol, mid, self._market.now)
        count = self._markouts.measured_count
        is_due = self._market.now - self._booked_at >= BOOKED_EVERY
        return self.rest() if count >= MEASURED_MAX or (count and is_due) else []

    def rest(self) -> list[BookMarkouts]:
        """Return what has been measured and not been booked."""
        self._booked_at = self._market.now
        measured = self._markouts.take()
        return [BookMarkouts(measured=measured)] if measured else []
