"""Replays each order from its events and holds it against its row, and its fills against both.

The fills of a post-only order are those of a maker, and no others are.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal

from tradewright.soak.trading.replay.record import Difference, Event, Fill, Order, Record, Standing

_PRECISE = Context(prec=60)
_PRICE = Decimal("0.00000001")

_ENDED = frozenset({"filled", "canceled", "rejected", "expired"})
_LEADS_TO: Mapping[str, frozenset[str]] = {
    "pending_new": frozenset({"pending_new"}),
    "new": frozenset({"new"}),
    "trade": frozenset({"partially_filled", "filled"}),
    "triggered": frozenset({"new", "partially_filled"}),
    "restated": frozenset({"new", "partially_filled"}),
    "replaced": frozenset({"new", "partially_filled"}),
    "pending_cancel": frozenset({"pending_cancel"}),
    "pending_replace": frozenset({"pending_replace"}),
    "canceled": frozenset({"canceled"}),
    "rejected": frozenset({"rejected"}),
    "expired": frozenset({"expired"}),
}
"""Where each kind of event may leave an order (FIX 4.4, ExecType and OrdStatus)."""


@dataclass(slots=True)
class OrderReplay:
    """One order as its events make it; `stood` is how it stood after each of them.

    `asked` is the quantity that was asked for first, `quantity` what it has become. A price is
    None until an event tells it: a trailing stop's first place is in none.
    """

    asked: Decimal | None = None
    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    status: str | None = None
    filled: Decimal = Decimal(0)
    value: Decimal = Decimal(0)
    count: int = 0
    stood: set[tuple[str, Decimal, Decimal | None]] = field(default_factory=set)

    @property
    def average(self) -> Decimal | None:
        """The average price of the fills so far."""
        if not self.filled:
            return None
        exact = _PRECISE.divide(self.value, self.filled)
        return exact.quantize(_PRICE, rounding=ROUND_HALF_UP, context=_PRECISE)

    def take(self, event: Event) -> None:
        """Take one step."""
        self.count += 1
        self.quantity = event.new_quantity or self.quantity
        self.limit_price = event.new_limit or self.limit_price
        self.stop_price = event.new_stop or self.stop_price
        if event.quantity is not None and event.price is not None:
            self.filled += event.quantity
            self.value += _PRECISE.multiply(event.quantity, event.price)
        self.status = event.to_status
        self.stood.add((event.to_status, self.filled, self.average))

    def remaining(self) -> Decimal | None:
        """Return what is left to be dealt."""
        if self.status in _ENDED:
            return Decimal(0)
        return None if self.quantity is None else self.quantity - self.filled


def replayed_orders(record: Record) -> dict[str, OrderReplay]:
    """Return every order as its events make it."""
    events: dict[str, list[Event]] = defaultdict(list)
    for event in record.events:
        events[event.order_id].append(event)
    replays = {order.id: begun(order, events[order.id]) for order in record.orders}
    for event in record.events:
        if event.order_id in replays:
            replays[event.order_id].take(event)
    return replays


def begun(order: Order, events: Sequence[Event]) -> OrderReplay:
    """Return an order before its first event, with the quantity that was asked for."""
    changes = [event for event in events if event.new_quantity is not None]
    asked = changes[0].old_quantity if changes else order.quantity
    limits = [event.old_limit for event in events if event.new_limit is not None]
    stops = [event.old_stop for event in events if event.new_stop is not None]
    return OrderReplay(
        asked=asked,
        quantity=asked,
        limit_price=limits[0] if limits else order.limit_price,
        stop_price=stops[0] if stops else order.stop_price,
    )


def replay_orders(record: Record) -> Iterator[Difference]:
    """Yield where an order, its events and its fills do not agree."""
    events: dict[str, list[Event]] = defaultdict(list)
    fills: dict[str, list[Fill]] = defaultdict(list)
    for event in record.events:
        events[event.order_id].append(event)
    for fill in record.fills:
        fills[fill.order_id].append(fill)
    for order in record.orders:
        yield from _replay(order, events.pop(order.id, []), fills.pop(order.id, []))
    yield from _replacements(record)
    for order_id in {*events, *fills}:
        yield Difference("order", order_id, "row", None, "an order of recorded events or fills")


def _replay(order: Order, events: Sequence[Event], fills: Sequence[Fill]) -> Iterator[Difference]:
    replay = begun(order, events)
    for event in events:
        yield from _step(order, replay, event)
        replay.take(event)
    traded = [(e.quantity, e.price) for e in events if e.quantity is not None]
    if traded != [(fill.quantity, fill.price) for fill in fills]:
        total = sum((fill.quantity for fill in fills), Decimal(0))
        yield Difference("order", order.id, "fills", total, replay.filled)
    for fill in fills:
        if fill.is_maker != order.is_post_only:
            yield Difference("fill", fill.id, "is_maker", fill.is_maker, order.is_post_only)
    yield from _standing(order, replay).differences()


def _standing(order: Order, replay: OrderReplay) -> Standing:
    """Return an order's row beside what its events make of it."""
    return Standing(
        "order",
        order.id,
        {
            "status": (order.status, replay.status),
            "quantity": (order.quantity, replay.quantity),
            "filled_quantity": (order.filled_quantity, replay.filled),
            "remaining_quantity": (order.remaining_quantity, replay.remaining()),
            "average_price": (order.average_price, replay.average),
            "limit_price": (order.limit_price, replay.limit_price),
            "stop_price": (order.stop_price, replay.stop_price),
            "version": (order.version, replay.count),
        },
    )


def _step(order: Order, replay: OrderReplay, event: Event) -> Iterator[Difference]:
    """Yield what is wrong with an event where it stands."""
    name = f"event {event.seq}"
    after = replay.filled + (event.quantity or Decimal(0))
    if (event.seq, event.from_status) != (replay.count + 1, replay.status):
        follows = (replay.count + 1, replay.status)
        yield Difference("order", order.id, name, (event.seq, event.from_status), follows)
    if replay.status in _ENDED or event.to_status not in _LEADS_TO[event.event_type]:
        step = f"{event.event_type} to {event.to_status}"
        yield Difference("order", order.id, name, step, f"no such step from {replay.status}")
    kept = {
        (event.old_quantity, replay.quantity),
        (event.old_limit, replay.limit_price),
        (event.old_stop, replay.stop_price),
    }
    for old, now in kept:
        if old is not None and now is not None and old != now:
            yield Difference("order", order.id, name, old, now)
    is_trade = event.event_type == "trade" and replay.quantity is not None
    if is_trade and (event.to_status == "filled") != (after == replay.quantity):
        yield Difference("order", order.id, name, event.to_status, f"{after} of {replay.quantity}")


def _replacements(record: Record) -> Iterator[Difference]:
    """Yield where a replacement is not what its event says."""
    replaced = {
        (event.order_id, event.seq): event.new_quantity
        for event in record.events
        if event.event_type == "replaced"
    }
    for one in record.replacements:
        found = replaced.pop((one.order_id, one.order_version), None)
        if found != one.quantity:
            yield Difference("replacement", one.key, "quantity", one.quantity, found)
    for order_id, seq in replaced:
        yield Difference("order", order_id, f"event {seq}", "replaced", "no replacement")
