"""What a batch does with what was measured of clients: one row for each, under its lock.

Each thing that is measured is kept too, numbered as the profile counts it, so that whoever asks why
a client stands where it does finds all that went into it.

Measured is what is dealt for hybrid accounts: how the market moves after each fill, how long what
a trade closes was held and whether it won, and whether an order came when providers reject.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from tradewright.liquidity.market import Market
from tradewright.routing.arrivals import Arrivals
from tradewright.routing.markouts import HORIZONS_S, Markouts
from tradewright.routing.model import Book
from tradewright.routing.profiles import (
    NOTHING_MEASURED,
    ClientProfile,
    Closed,
    Measures,
    with_measures,
)
from tradewright.trading.house_commands import BookMeasures
from tradewright.trading.model import NothingDone, Origin
from tradewright.trading.state import Desk, Row

MEASURED_MAX = 100
"""So many measured things are booked at once; fewer wait for their time."""

BOOKED_EVERY = timedelta(seconds=60)
"""Market time after which what was measured since is booked, however little."""

_TRADE, _POSITION, _FILL, _EFFECT, _RESULT = 1, 0, 3, 5, 9
"""Where a row of `Changes.trades` has its id, its position, its fill, its effect and its result."""

_NOT_OF_FILLS: Row = (None,) * (2 * len(HORIZONS_S))
_NOT_OF_CLOSINGS: Row = (None,) * 3

_Dealt = tuple[str, datetime]
"""Whose a fill is, and the market time of what it was dealt on."""


def book_measures(desk: Desk, command: BookMeasures) -> NothingDone:
    """Add what was measured to the profiles of its clients."""
    rows = list(_rows(desk.profiles, command.measures, desk.opened_at))
    desk.changes.client_measures += rows
    changed = with_measures(desk.profiles, command.measures, desk.opened_at)
    desk.profiles.update(changed)
    desk.changes.profiles.update(changed)
    return NothingDone("profiles are no client's order")


def _rows(
    profiles: Mapping[str, ClientProfile], measures: Measures, opened_at: Mapping[str, datetime]
) -> Iterator[Row]:
    """Give what was measured as rows, each with the number that its profile counts it by."""
    counts: dict[tuple[str, str], int] = {}
    for user_id in measures.user_ids:
        known = profiles.get(user_id, NOTHING_MEASURED)
        counts[user_id, "fill"] = known.trade_count
        counts[user_id, "closing"] = known.closing_count
        counts[user_id, "arrival"] = known.arrival_count

    def key(user_id: str, kind: str) -> Row:
        counts[user_id, kind] += 1
        return user_id, kind, counts[user_id, kind]

    for fill in measures.fills:
        of: Row = (None, fill.fill_id, None, fill.dealt_at, *fill.mids, *fill.markouts)
        yield *key(fill.user_id, "fill"), *of, *_NOT_OF_CLOSINGS, None
    for closing in measures.closings:
        opened = opened_at.get(closing.position_id)
        of = (None, None, closing.trade_id, closing.closed_at, *_NOT_OF_FILLS)
        held = opened, closing.is_short(opened), closing.is_win
        yield *key(closing.user_id, "closing"), *of, *held, None
    for one in measures.arrivals:
        of = (one.order_id, None, None, one.arrived_at, *_NOT_OF_FILLS, *_NOT_OF_CLOSINGS)
        yield *key(one.user_id, "arrival"), *of, one.rejected_at


class Measuring:
    """Measures what hybrid orders deal as the market moves; belongs to one thread."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._markouts = Markouts()
        self._arrivals = Arrivals()
        self._closings: list[Closed] = []
        self._booked_at = market.now

    def take(self, desk: Desk) -> None:
        """Begin to measure what a committed batch has dealt of hybrid orders."""
        for _, request, answer in desk.changes.answers + desk.changes.hedge_answers:
            if not answer.accepted:
                self._arrivals.rejected(request.symbol, answer.decided_at)
        for row in desk.changes.routing_decisions:
            self._take_arrival(desk, str(row[1]), row[-1])
        if fills := self._take_fills(desk):
            self._take_closings(desk, fills)

    def _take_arrival(self, desk: Desk, order_id: str, at: object) -> None:
        """Note an order that its client has sent; when the house closes, is no client's choice."""
        order = desk.changes.orders.get(order_id) or desk.orders[order_id]
        if order.origin is Origin.CLIENT and isinstance(at, datetime):
            user_id = desk.accounts[order.account_id].holder.user_id
            self._arrivals.arrived(order.instrument.symbol, user_id, order_id, at)

    def _take_fills(self, desk: Desk) -> dict[str, _Dealt]:
        """Begin to measure the fills of hybrid orders; return them by id."""
        fills: dict[str, _Dealt] = {}
        for row in desk.changes.fills:
            order, price, quoted_at = desk.changes.orders[str(row[1])], row[3], row[6]
            if order.book is not Book.HYBRID:
                continue
            user_id = desk.accounts[order.account_id].holder.user_id
            if isinstance(price, Decimal) and isinstance(quoted_at, datetime):
                fill = (user_id, str(row[0]), order.side.sign, price)
                self._markouts.dealt(order.instrument.symbol, fill, self._market.now)
                fills[str(row[0])] = user_id, quoted_at
        return fills

    def _take_closings(self, desk: Desk, fills: dict[str, _Dealt]) -> None:
        """Note what these fills have closed of positions."""
        for row in desk.changes.trades:
            fill, result = fills.get(str(row[_FILL])), row[_RESULT]
            if fill is not None and row[_EFFECT] == "close" and isinstance(result, Decimal):
                user_id, closed_at = fill
                ids = str(row[_TRADE]), str(row[_POSITION])
                self._closings.append(Closed(user_id, *ids, closed_at, result > 0))

    def on_price(self, symbol: str) -> list[BookMeasures]:
        """Note where the middle stands; return what is to be booked of what was measured."""
        mid = self._market.note_mid(symbol)
        if mid is not None:
            self._markouts.on_mid(symbol, mid, self._market.now)
        self._arrivals.on_time(symbol, self._market.now)
        counts = self._markouts.measured_count, len(self._closings), self._arrivals.judged_count
        is_due = self._market.now - self._booked_at >= BOOKED_EVERY
        return self.rest() if max(counts) >= MEASURED_MAX or (is_due and any(counts)) else []

    def rest(self) -> list[BookMeasures]:
        """Return what has been measured and not been booked."""
        self._booked_at = self._market.now
        closings, self._closings = tuple(self._closings), []
        measures = Measures(
            fills=self._markouts.take(), closings=closings, arrivals=self._arrivals.take()
        )
        return [BookMeasures(measures=measures)] if measures.user_ids else []
