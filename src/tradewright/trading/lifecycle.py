"""The life of an order: which state may follow which, what each event does, what outranks what.

Source: FIX 4.4, volume 4, order state changes, and the precedence of OrdStatus in volume 1. This is
the one place in Python; `order_step_is_allowed` says the same in the database, and the page of
order types to people. Tests compare the three.
"""

from collections.abc import Mapping

from tradewright.trading.model import EventType, OrderStatus

PRECEDENCE: Mapping[OrderStatus, int] = {
    OrderStatus.PENDING_CANCEL: 12,
    OrderStatus.PENDING_REPLACE: 11,
    OrderStatus.FILLED: 8,
    OrderStatus.EXPIRED: 6,
    OrderStatus.CANCELED: 5,
    OrderStatus.PARTIALLY_FILLED: 4,
    OrderStatus.NEW: 2,
    OrderStatus.REJECTED: 2,
    OrderStatus.PENDING_NEW: 2,
}
"""FIX's precedence of OrdStatus values that hold at once; the highest is reported."""

_ENDS = frozenset({OrderStatus.CANCELED, OrderStatus.EXPIRED})
_FILLS = frozenset({OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED})

ALLOWED_TRANSITIONS: Mapping[OrderStatus | None, frozenset[OrderStatus]] = {
    None: frozenset({OrderStatus.PENDING_NEW, OrderStatus.NEW, OrderStatus.REJECTED}),
    OrderStatus.PENDING_NEW: _ENDS
    | _FILLS
    | {OrderStatus.NEW, OrderStatus.PENDING_CANCEL, OrderStatus.REJECTED},
    OrderStatus.NEW: _ENDS
    | _FILLS
    | {
        OrderStatus.NEW,
        OrderStatus.PENDING_CANCEL,
        OrderStatus.PENDING_REPLACE,
        OrderStatus.REJECTED,
    },
    OrderStatus.PARTIALLY_FILLED: _ENDS
    | _FILLS
    | {OrderStatus.PENDING_CANCEL, OrderStatus.PENDING_REPLACE},
    OrderStatus.PENDING_CANCEL: _ENDS | _FILLS | {OrderStatus.NEW},
    OrderStatus.PENDING_REPLACE: _ENDS | _FILLS | {OrderStatus.NEW, OrderStatus.PENDING_CANCEL},
    OrderStatus.FILLED: frozenset(),
    OrderStatus.CANCELED: frozenset(),
    OrderStatus.REJECTED: frozenset(),
    OrderStatus.EXPIRED: frozenset(),
}
"""FIX order state changes; the CHECK order_events_step_allowed holds any client to it.

An order with fills is never rejected, so `rejected` follows only what has none.
"""

_STANDING = frozenset({OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED})

LEADS_TO: Mapping[EventType, frozenset[OrderStatus]] = {
    EventType.PENDING_NEW: frozenset({OrderStatus.PENDING_NEW}),
    EventType.NEW: frozenset({OrderStatus.NEW}),
    EventType.TRADE: _FILLS,
    EventType.TRIGGERED: _STANDING,
    EventType.RESTATED: _STANDING,
    EventType.REPLACED: _STANDING,
    EventType.PENDING_CANCEL: frozenset({OrderStatus.PENDING_CANCEL}),
    EventType.PENDING_REPLACE: frozenset({OrderStatus.PENDING_REPLACE}),
    EventType.CANCELED: frozenset({OrderStatus.CANCELED}),
    EventType.REJECTED: frozenset({OrderStatus.REJECTED}),
    EventType.EXPIRED: frozenset({OrderStatus.EXPIRED}),
}
"""The states in which each kind of event may leave an order."""


def step_is_allowed(event: EventType, came_from: OrderStatus | None, leads_to: OrderStatus) -> bool:
    """Return whether an event may take an order from one state to another."""
    return leads_to in LEADS_TO[event] and leads_to in ALLOWED_TRANSITIONS[came_from]


def outranks(one: OrderStatus, other: OrderStatus) -> bool:
    """Return whether `one` is the state to report where both hold.

    A request to cancel outranks one to replace, so it may follow it, and never the reverse.
    """
    return PRECEDENCE[one] > PRECEDENCE[other]
