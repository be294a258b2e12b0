"""What a reduce-only order may still do: no more than the position on the other side.

It shrinks with that position, ends when nothing is left, and never opens or turns one. In book A
what is with a provider counts as reduced already, so that two orders never reduce the same part.
An order that closes a position is held to that too when its provider answers: another may have
been faster.
"""

from decimal import Decimal

from tradewright.core.errors import ErrorCode
from tradewright.risk.model import Denial
from tradewright.trading.state import AccountState, OrderState

_NOTHING = Decimal(0)


def executable(account: AccountState, order: OrderState) -> Decimal:
    """Return how much of an order may be dealt now: min(remaining, opposite position)."""
    if not order.is_reduce_only:
        return order.remaining_quantity
    in_flight = sum(
        (
            other.remaining_quantity
            for other in account.live_orders.values()
            if other.is_routed
            and other.id != order.id
            and other.side is order.side
            and other.instrument.symbol == order.instrument.symbol
        ),
        _NOTHING,
    )
    left = reducible(account, order) - in_flight
    return max(_NOTHING, min(order.remaining_quantity, left))


def bookable(account: AccountState, order: OrderState, quantity: Decimal) -> Decimal:
    """Return how much of an execution the order still asks for."""
    asked = min(quantity, order.remaining_quantity)
    return min(asked, reducible(account, order)) if _only_reduces(order) else asked


def reducible(account: AccountState, order: OrderState) -> Decimal:
    """Return the size of what is open on the other side of an order."""
    sign = order.side.sign
    return sum(
        (
            abs(position.quantity)
            for position in account.positions.get(order.instrument.symbol, ())
            if position.quantity * sign < 0 and order.position_id in {None, position.id}
        ),
        _NOTHING,
    )


def denial(account: AccountState, order: OrderState) -> Denial | None:
    """Deny an order that only reduces where there is nothing to reduce."""
    if not _only_reduces(order) or reducible(account, order):
        return None
    return Denial(
        ErrorCode.ORDER_NOTHING_TO_REDUCE,
        f"The account holds nothing of {order.instrument.symbol} that a {order.side} would reduce.",
    )


def _only_reduces(order: OrderState) -> bool:
    return order.is_reduce_only or order.position_id is not None
