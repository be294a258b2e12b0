"""Replays stop-loss and take-profit of positions from orders, fills and amendments, by the mode.

What an order opens has its levels, where it has any; in FIFO they are those of every position of
the symbol, and what is opened without them has those of the others. An amendment replaces what it
sets, in FIFO of every position of the symbol, and orders that were submitted before it give
what stands under it no levels any more. Which positions are open is read off the trades, which
`positions` replays.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from tradewright.soak.trading.replay.positions import causes_in_order
from tradewright.soak.trading.replay.record import (
    Account,
    Amendment,
    Difference,
    Order,
    Position,
    Record,
    Standing,
    Trade,
)

_Place = tuple[str, str]
"""An account and a symbol."""


@dataclass(slots=True)
class _Held:
    """A position in the replay."""

    id: str
    version: int = 0
    is_open: bool = False
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    amended_by: str = ""


@dataclass(slots=True)
class _Book:
    """Positions by place in the order of their opening, and the amendments that are still to come.

    `waiting` has the rows of an amendment together, the oldest first.
    """

    accounts: Mapping[str, Account]
    places: Mapping[str, _Place]
    held: dict[str, _Held] = field(default_factory=dict)
    opened: dict[_Place, list[_Held]] = field(default_factory=lambda: defaultdict(list))
    waiting: dict[_Place, list[list[Amendment]]] = field(default_factory=lambda: defaultdict(list))

    def open_at(self, place: _Place) -> list[_Held]:
        """Return what is open at a place, the oldest first."""
        return [one for one in self.opened[place] if one.is_open]

    def take(self, trade: Trade, order: Order | None) -> None:
        """Let a trade open, change or close its position."""
        place = self.places[trade.position_id]
        position = self.held.get(trade.position_id)
        if position is None:
            position = self.held[trade.position_id] = _Held(trade.position_id)
            self.opened[place].append(position)
        position.version = trade.position_version
        position.is_open = trade.position_quantity != 0
        if trade.effect == "open" and order is not None:
            self._protect(place, position, order)

    def _protect(self, place: _Place, position: _Held, order: Order) -> None:
        covered = [position]
        if self.accounts[place[0]].position_mode == "fifo":
            covered = self.open_at(place)
            first = covered[0]
            position.stop_loss, position.take_profit = first.stop_loss, first.take_profit
            position.amended_by = max(position.amended_by, first.amended_by)
        if order.id < position.amended_by:
            return
        for one in covered:
            one.stop_loss = one.stop_loss if order.stop_loss is None else order.stop_loss
            one.take_profit = one.take_profit if order.take_profit is None else order.take_profit


def replay_levels(record: Record) -> Iterator[Difference]:
    """Yield where an amendment or a position is not what orders and amendments make it."""
    book = _book(record)
    orders = {order.id: order for order in record.orders}
    dealt = {fill.id: orders.get(fill.order_id) for fill in record.fills}
    for trades in causes_in_order(record.trades):
        known = [trade for trade in trades if trade.position_id in book.places]
        for place in {book.places[trade.position_id] for trade in known}:
            yield from _amend_before(book, place, known)
        for trade in known:
            book.take(trade, dealt.get(trade.fill_id or ""))
    for place in list(book.waiting):
        while book.waiting[place]:
            yield from _amend(book, place, book.waiting[place].pop(0))
    yield from _compare(book, record.positions)


def _book(record: Record) -> _Book:
    places = {one.id: (one.account_id, one.symbol) for one in record.positions}
    book = _Book({account.id: account for account in record.accounts}, places)
    groups: dict[tuple[str, str], list[Amendment]] = defaultdict(list)
    for row in sorted(record.amendments):
        groups[row.account_id, row.key].append(row)
    for group in groups.values():
        book.waiting[places.get(group[0].position_id, ("", ""))].append(group)
    return book


def _amend_before(book: _Book, place: _Place, trades: Sequence[Trade]) -> Iterator[Difference]:
    """Do what was amended before some trades: by the positions' versions, else by time."""
    while book.waiting[place]:
        group = book.waiting[place][0]
        versions = {row.position_id: row.position_version for row in group}
        is_before = any(
            versions.get(trade.position_id, trade.position_version) < trade.position_version
            for trade in trades
        )
        is_ready = all(
            key in book.held and book.held[key].version == version
            for key, version in versions.items()
        )
        if not is_before and not (is_ready and group[0].id < trades[0].id):
            return
        yield from _amend(book, place, book.waiting[place].pop(0))


def _amend(book: _Book, place: _Place, group: Sequence[Amendment]) -> Iterator[Difference]:
    covered = {row.position_id for row in group}
    due = covered
    if place[0] in book.accounts and book.accounts[place[0]].position_mode == "fifo":
        due = {one.id for one in book.open_at(place)}
    named = sum(row.is_named for row in group)
    if covered != due or named != 1 or (covered == due and len(group) != len(due)):
        yield Difference("amendment", group[0].id, "positions", sorted(covered), sorted(due))
    for row in group:
        position = book.held.get(row.position_id)
        if position is None or not position.is_open:
            yield Difference("amendment", row.id, "position", row.position_id, "an open one")
            continue
        yield from _compare_amendment(row, position)
        position.stop_loss = row.stop_loss if row.sets_stop_loss else position.stop_loss
        position.take_profit = row.take_profit if row.sets_take_profit else position.take_profit
        position.amended_by = row.id


def _compare_amendment(row: Amendment, position: _Held) -> Iterator[Difference]:
    fields: dict[str, tuple[object, object]] = {
        "position_version": (row.position_version, position.version),
        "stop_loss_before": (row.stop_loss_before, position.stop_loss),
        "take_profit_before": (row.take_profit_before, position.take_profit),
    }
    if not row.sets_stop_loss:
        fields["stop_loss"] = (row.stop_loss, position.stop_loss)
    if not row.sets_take_profit:
        fields["take_profit"] = (row.take_profit, position.take_profit)
    yield from Standing("amendment", row.id, fields).differences()


def _compare(book: _Book, positions: Sequence[Position]) -> Iterator[Difference]:
    for position in positions:
        held = book.held.get(position.id, _Held(position.id))
        yield from Standing(
            "position",
            position.id,
            {
                "stop_loss": (position.stop_loss, held.stop_loss),
                "take_profit": (position.take_profit, held.take_profit),
            },
        ).differences()
