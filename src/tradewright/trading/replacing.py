"""How a batch replaces an order: another quantity or price, under a new key (FIX 35=G).

The order keeps its id, its fills and its place in the record; the chain of keys stands in
`order_replacements`, and each of them names the order. What comes too late is refused and changes
nothing. Under its new terms the order is looked at as if it had just arrived.

While a provider decides on the order, a replacement waits: the order is `pending_replace`, the
provider is asked to end what it has, and its last word is booked first. What it dealt counts; the
rest is replaced if the order still rests and takes the terms, or else goes on as it was. What is
asked for stands in the event, so it waits in the database and nowhere else.
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
from tradewright.trading.figures import before_change, figures_of, told
from tradewright.trading.model import (
    EventType,
    OrderReport,
    OrderStatus,
    OrderType,
    RefusedBy,
    ReplaceOrder,
)
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
    if _waits(desk, order, command):
        return order.report(command.new_client_order_id, is_replay=True)
    _require_fresh(desk, command)
    _require_replaceable(desk, order)
    if order.is_routed:
        _changed(order, command)
        desk.replacements_waiting[order.id] = command
        _wait(desk, order, command)
    else:
        _apply(desk, order, _acceptable(desk, account, order, command), command)
        _go_on(desk, account, order)
    return order.report(command.new_client_order_id)


def conclude(desk: Desk, account: AccountState, order: OrderState, command: ReplaceOrder) -> None:
    """Follow up a replacement that waits, when an answer of the provider has been booked.

    The order goes on waiting until the last word; then it takes the new terms, or is left as it
    is (FIX 35=9) with the reason in its event. What has ended is told by its own event.
    """
    if order.is_routed:
        if order.status is not OrderStatus.PENDING_REPLACE:
            _wait(desk, order, command)
        return
    orders.finish_dealing(desk, order, RefusedBy.PROVIDER)
    if not order.status.is_live:
        return
    try:
        _require_fresh(desk, command)
        _require_replaceable(desk, order)
        changed = _acceptable(desk, account, order, command)
    except (InputError, StateError) as error:
        refused = {"client_order_id": command.new_client_order_id, "code": error.code}
        details = json.dumps({"refused": refused | {"why": f"{error.what}. {error.why}"}})
        orders.record(desk, order, EventType.RESTATED, _standing(order), "house", details=details)
        return
    _apply(desk, order, changed, command)
    _go_on(desk, account, order)


def _waits(desk: Desk, order: OrderState, command: ReplaceOrder) -> bool:
    """Return whether just this waits already; another one under its key is refused."""
    waiting = desk.replacements_waiting.get(order.id)
    if waiting is None or order.status is not OrderStatus.PENDING_REPLACE:
        return False
    if waiting.new_client_order_id != command.new_client_order_id:
        return False
    terms = (waiting.quantity, waiting.limit_price, waiting.stop_price)
    if terms != (command.quantity, command.limit_price, command.stop_price):
        raise _differs(command)
    return True


def _wait(desk: Desk, order: OrderState, command: ReplaceOrder) -> None:
    """Note that the client wants other terms of an order that is with a provider."""
    asked = {
        "client_order_id": command.client_order_id,
        "new_client_order_id": command.new_client_order_id,
        **{name: f"{value:f}" for name, value in _terms(command).items() if value is not None},
    }
    status, details = OrderStatus.PENDING_REPLACE, json.dumps({"asked": asked})
    orders.record(desk, order, EventType.PENDING_REPLACE, status, "client", details=details)


def _terms(command: ReplaceOrder) -> dict[str, Decimal | None]:
    return {
        "quantity": command.quantity,
        "limit_price": command.limit_price,
        "stop_price": command.stop_price,
    }


def _standing(order: OrderState) -> OrderStatus:
    """Return the state of a live order of which nothing is pending."""
    return OrderStatus.PARTIALLY_FILLED if order.filled_quantity else OrderStatus.NEW


def _require_fresh(desk: Desk, command: ReplaceOrder) -> None:
    key = (command.account_id, command.new_client_order_id)
    if key in desk.orders_by_key or key in desk.keys_taken:
        raise _differs(command)


def _acceptable(
    desk: Desk, account: AccountState, order: OrderState, command: ReplaceOrder
) -> OrderState:
    """Return the order under its new terms, which nothing speaks against."""
    changed = _changed(order, command)
    denial = _beyond_its_group(desk, order, changed) or _denial(desk, account, changed)
    if denial is None:
        return changed
    raise StateError(
        denial.code,
        f'order "{command.client_order_id}" cannot be replaced: it would be denied',
        why=denial.why,
        hint="Leave it as it is, cancel it, or ask for other terms.",
        facts={"order_id": order.id},
    )


def _require_replaceable(desk: Desk, order: OrderState) -> None:
    if not order.status.is_live or has_expired(desk, order):
        raise StateError(
            ErrorCode.ORDER_ENDED,
            f'order "{order.client_order_id}" is {order.status} and cannot be replaced',
            why="An order that has ended, or whose time is over, never changes.",
            hint="Submit a new order.",
        )
    ends_anyway = not conditions.may_rest_with_remainder(order)
    if order.is_routed and (ends_anyway or order.status.is_pending_change):
        raise StateError(
            ErrorCode.ORDER_IN_FLIGHT,
            f'order "{order.client_order_id}" could not be replaced while a provider decides on it',
            why="It ends with the provider's answer."
            if ends_anyway
            else f"It is {order.status} already: one change at a time waits for the provider.",
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


def _beyond_its_group(desk: Desk, order: OrderState, changed: OrderState) -> Denial | None:
    """Deny more than an order's alternatives have left it; what they dealt was taken from it."""
    dealt = any(other.filled_quantity for other in orders.alternatives(desk, order))
    if not dealt or changed.quantity <= order.quantity:
        return None
    return Denial(
        ErrorCode.ORDER_GROUP_DECIDED,
        f'Another order of the group "{order.oco_group}" has dealt a part: of this one '
        f"{order.quantity} are left, and {changed.quantity} are more.",
    )


def _denial(desk: Desk, account: AccountState, changed: OrderState) -> Denial | None:
    rests = conditions.rests(changed, desk.market.top(changed.instrument.symbol))
    denial = orders.refused_on_arrival(desk, account, changed, rests=rests)
    if denial is not None:
        return denial
    return first_denial(gather_facts(desk, account, changed, rests=rests))


def _apply(desk: Desk, order: OrderState, changed: OrderState, command: ReplaceOrder) -> None:
    """Take the new terms over, with their event and their link in the chain."""
    details: dict[str, object] = {**told(figures_of(changed)), "was": before_change(order)}
    order.quantity, order.remaining_quantity = changed.quantity, changed.remaining_quantity
    order.limit_price, order.stop_price = changed.limit_price, changed.stop_price
    order.is_replaced = True
    key = (order.account_id, command.new_client_order_id)
    details |= {"client_order_id": command.new_client_order_id}
    details |= {"quotes": json.loads(desk.market.describe(order.instrument.symbol))}
    shown = json.dumps({**details, **orders.reckoned_on(desk, order)})
    orders.record(desk, order, EventType.REPLACED, _standing(order), "client", details=shown)
    desk.changes.replacements.append(
        (
            *key,
            order.id,
            order.version,
            order.client_order_id,
            command.client_order_id,
            order.quantity,
            order.limit_price,
            order.stop_price,
        )
    )
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
