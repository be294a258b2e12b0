"""How a batch replaces an order: another quantity or price, under a new key (FIX 35=G).

The order keeps its id, its fills and its place in the record; the chain of keys stands in
`order_replacements`, and each of them names the order. What comes too late is refused and changes
nothing. Under its new terms the order is looked at as if it had just arrived.
"""

import json
from decimal import Decimal

from msgspec.structs import replace as copy_with

from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.risk.checks import first_denial
from tradewright.risk.model import Denial
from tradewright.trading import conditions, orders
from tradewright.trading.expiry import has_expired
from tradewright.trading.facts import gather_facts
from tradewright.trading.model import EventType, OrderReport, OrderType, ReplaceOrder
from tradewright.trading.order_form import require_key, require_price, require_quantity
from tradewright.trading.state import AccountState, Desk, OrderState


def replace(desk: Desk, account: AccountState, command: ReplaceOrder) -> OrderReport:
    """Give a live order another quantity, limit or stop; the same replacement again is answered.

    Raises:
        InputError: ORDER_UNKNOWN, ORDER_KEY_MALFORMED, ORDER_DUPLICATE_DIFFERS,
            ORDER_FIELDS_CONTRADICT, ORDER_QUANTITY_..., ORDER_PRICE_...
        StateError: ORDER_ENDED (FIX CxlRejReason 0, too late), ORDER_IN_FLIGHT, or the code of
            the check that denies the order under its new terms.

    """
    require_key(command.new_client_order_id)
    order = orders.named(desk, account, command.client_order_id)
    before = desk.replacements_before.get((account.id, command.new_client_order_id))
    if before is not None:
        _require_same(before, order, command)
        return order.report(command.new_client_order_id, is_replay=True)
    if (account.id, command.new_client_order_id) in desk.orders_by_key:
        raise _differs(command)
    _require_replaceable(desk, order)
    changed = _changed(order, command)
    denial = _denial(desk, account, changed)
    if denial is not None:
        raise StateError(
            denial.code,
            f'order "{command.client_order_id}" cannot be replaced: it would be denied',
            why=denial.why,
            hint="Leave it as it is, cancel it, or ask for other terms.",
            facts={"order_id": order.id},
        )
    _apply(desk, order, changed, command)
    _go_on(desk, account, order)
    return order.report(command.new_client_order_id)


def _require_replaceable(desk: Desk, order: OrderState) -> None:
    if not order.status.is_live or has_expired(desk, order):
        raise StateError(
            ErrorCode.ORDER_ENDED,
            f'order "{order.client_order_id}" is {order.status} and cannot be replaced',
            why="An order that has ended, or whose time is over, never changes.",
            hint="Submit a new order.",
        )
    if order.is_routed:
        raise StateError(
            ErrorCode.ORDER_IN_FLIGHT,
            f'order "{order.client_order_id}" could not be replaced while a provider decides on it',
            why="What is on its way may fill it under its old terms.",
            hint="Try again when the provider has answered, or cancel it.",
        )


def _changed(order: OrderState, command: ReplaceOrder) -> OrderState:
    """Return the order under its new terms, as a copy to which nothing has happened yet.

    Raises:
        InputError: what does not fit the order's type, step, tick or fills.

    """
    _require_fitting(order, command)
    quantity = command.quantity or order.quantity
    if quantity <= order.filled_quantity:
        raise InputError(
            ErrorCode.ORDER_QUANTITY_OUT_OF_RANGE,
            f"quantity {quantity} is not above the {order.filled_quantity} that are filled",
            why="The quantity is the whole order's, what has been filled included.",
            hint="Give more than has been filled, or cancel the rest.",
            facts={"quantity": quantity, "filled": order.filled_quantity},
        )
    return copy_with(
        order,
        quantity=quantity,
        remaining_quantity=quantity - order.filled_quantity,
        limit_price=command.limit_price or order.limit_price,
        stop_price=command.stop_price or order.stop_price,
        is_replaced=True,
        version=0,
    )


def _require_fitting(order: OrderState, command: ReplaceOrder) -> None:
    """Refuse what the order does not have, what changes nothing, and what means nothing."""
    asked = (command.quantity, command.limit_price, command.stop_price)
    present = (order.quantity, order.limit_price, order.stop_price)
    if all(one is None or one == now for one, now in zip(asked, present, strict=True)):
        raise _contradiction(command, "A replacement changes the quantity or a price.")
    if command.limit_price is not None and order.limit_price is None:
        raise _contradiction(command, f"A {order.order_type} order has no limit price.")
    trails = order.order_type is OrderType.TRAILING_STOP
    if command.stop_price is not None and (trails or not order.awaits_trigger):
        raise _contradiction(command, "The order waits for no stop price that could be changed.")
    if command.quantity is not None:
        require_quantity(command.quantity, order.instrument)
    for name, price in (("limit price", command.limit_price), ("stop price", command.stop_price)):
        if price is not None:
            require_price(name, price, order.instrument)


def _denial(desk: Desk, account: AccountState, changed: OrderState) -> Denial | None:
    rests = conditions.rests(changed, desk.market.top(changed.instrument.symbol))
    denial = orders.refused_on_arrival(desk, account, changed, rests=rests)
    if denial is not None:
        return denial
    return first_denial(gather_facts(desk, account, changed, rests=rests))


def _apply(desk: Desk, order: OrderState, changed: OrderState, command: ReplaceOrder) -> None:
    """Take the new terms over, with their event and their link in the chain."""
    details = {"quantity": f"{changed.quantity:f}", "was": f"{order.quantity:f}"}
    order.quantity, order.remaining_quantity = changed.quantity, changed.remaining_quantity
    order.limit_price, order.stop_price = changed.limit_price, changed.stop_price
    order.is_replaced = True
    shown = json.dumps(details | {"client_order_id": command.new_client_order_id})
    orders.record(desk, order, EventType.REPLACED, order.status, "client", details=shown)
    desk.changes.replacements.append(
        (
            order.account_id,
            command.new_client_order_id,
            order.id,
            order.version,
            order.client_order_id,
            command.client_order_id,
            order.quantity,
            order.limit_price,
            order.stop_price,
        )
    )
    key = (order.account_id, command.new_client_order_id)
    desk.orders_by_key[key] = order
    terms = (order.quantity, order.limit_price, order.stop_price)
    desk.replacements_before[key] = (order.id, *terms)


def _go_on(desk: Desk, account: AccountState, order: OrderState) -> None:
    """Let the order wake or deal if its new terms are met."""
    top = desk.market.top(order.instrument.symbol)
    rests = conditions.rests(order, top)
    if order.awaits_trigger and conditions.is_reached(order, order.stop_price, top):
        orders.wake(desk, order)
    if not rests:
        orders.execute(desk, account, order)


def _require_same(
    before: tuple[str, Decimal, Decimal | None, Decimal | None],
    order: OrderState,
    command: ReplaceOrder,
) -> None:
    order_id, *terms = before
    asked = (command.quantity, command.limit_price, command.stop_price)
    same = all(one is None or one == was for one, was in zip(asked, terms, strict=True))
    if order.id != order_id or not same:
        raise _differs(command)


def _differs(command: ReplaceOrder) -> InputError:
    return InputError(
        ErrorCode.ORDER_DUPLICATE_DIFFERS,
        f'the key "{command.new_client_order_id}" stands for something else already',
        why="A key stands for one order, or for one replacement, for ever (FIX OrdRejReason 6).",
        hint="Use a new client order id for a new replacement.",
    )


def _contradiction(command: ReplaceOrder, problem: str) -> InputError:
    return InputError(
        ErrorCode.ORDER_FIELDS_CONTRADICT,
        f'order "{command.client_order_id}" cannot be replaced in this way',
        why=problem,
        hint="Give the quantity or the prices that the order has.",
        facts={"client_order_id": command.client_order_id},
    )
