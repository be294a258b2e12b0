"""What can happen to one order: it is opened, it deals, it ends. Every step leaves its event.

Works on the rows of one batch in memory (`state`); nothing here reads or writes the database.
`positions` says what a fill does to the account; `decide` says when these steps are taken.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from tradewright.core.errors import ErrorCode, InputError
from tradewright.core.ids import new_id_text
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.model import Side
from tradewright.risk.model import Denial
from tradewright.routing.rules import allocate, beyond
from tradewright.trading import reducing
from tradewright.trading.backing_off import rejected_by
from tradewright.trading.books import NO_QUANTITY, aimed_at, note_ranking, quantity_passed_on
from tradewright.trading.conditions import may_rest_with_remainder
from tradewright.trading.figures import before_change
from tradewright.trading.lifecycle import outranks
from tradewright.trading.model import (
    EventType,
    OrderStatus,
    OrderType,
    Origin,
    RefusedBy,
    SubmitOrder,
    TimeInForce,
)
from tradewright.trading.positions import apply_fill
from tradewright.trading.rules import mean_price
from tradewright.trading.state import (
    AccountState,
    Desk,
    OrderState,
    PositionState,
    RoutedOrder,
)
from tradewright.trading.terms import Terms, trailing_terms

BREACH_QUANTUM = Decimal("0.00000001")
"""What is measured against limits is kept to eight decimals: above its limit, however little."""


def order_from_command(
    command: SubmitOrder, account: AccountState, instrument: Instrument, terms: Terms
) -> OrderState:
    """Return the order that a client asks for, before anything has happened to it."""
    return OrderState(
        id=new_id_text(),
        account_id=account.id,
        client_order_id=command.client_order_id,
        instrument=instrument,
        side=command.side,
        order_type=command.order_type,
        time_in_force=command.time_in_force,
        origin=Origin.CLIENT,
        book=account.book,
        quantity=command.quantity,
        remaining_quantity=command.quantity,
        limit_price=command.limit_price,
        stop_price=terms.stop_price,
        stop_loss=command.stop_loss,
        take_profit=command.take_profit,
        expires_at=terms.expires_at,
        position_id=command.position_id,
        trailing_distance=terms.trailing_distance,
        trailing_terms=trailing_terms(command),
        is_reduce_only=command.is_reduce_only or command.order_type is OrderType.TAKE_PROFIT,
        is_post_only=command.is_post_only,
        oco_group=command.oco_group,
        metadata=command.metadata,
    )


def closing_order(
    account: AccountState,
    position: PositionState,
    origin: Origin,
    asked: tuple[Decimal | None, str | None],
) -> OrderState:
    """Return a market order that closes a position: `asked` of it under a key, or all of it."""
    order_id = new_id_text()
    quantity = asked[0] or abs(position.quantity)
    return OrderState(
        id=order_id,
        account_id=account.id,
        client_order_id=asked[1] or f"{origin}-{order_id}",
        instrument=position.instrument,
        side=Side.SELL if position.quantity > 0 else Side.BUY,
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.IOC,
        origin=origin,
        book=account.book,
        quantity=quantity,
        remaining_quantity=quantity,
        position_id=position.id,
        closes_whole=asked[0] is None,
    )


def named(desk: Desk, account: AccountState, key: str) -> OrderState:
    """Return the order that a client names by any key of its chain.

    Raises:
        InputError: ORDER_UNKNOWN (FIX CxlRejReason 1).

    """
    order = desk.orders_by_key.get((account.id, key))
    if order is None:
        raise InputError(
            ErrorCode.ORDER_UNKNOWN,
            f'order "{key}" does not exist in account "{account.id}"',
            why="Orders are found by the client order id under which they were submitted or "
            "replaced.",
            hint="Check the client order id and the account.",
        )
    return order


def refused_on_arrival(
    desk: Desk, account: AccountState, order: OrderState, *, rests: bool
) -> Denial | None:
    """Deny what only reduces where nothing is open, and what must rest where it could deal.

    And an order whose group has been decided, or could be by what a provider has not answered.
    """
    if order.is_post_only and not rests:
        return Denial(
            ErrorCode.ORDER_WOULD_TAKE,
            f"The market is at or through the limit {order.limit_price} of this {order.side}.",
        )
    if order.oco_group is not None and _is_decided(desk, order, rests=rests):
        return Denial(
            ErrorCode.ORDER_GROUP_DECIDED,
            f'Another order of the group "{order.oco_group}" has dealt, or is with a provider.',
        )
    return reducing.denial(account, order)


def _is_decided(desk: Desk, order: OrderState, *, rests: bool) -> bool:
    """Return whether a group takes an order no more; one that is replaced has given its part."""
    return any(
        (other.filled_quantity > 0 and not order.is_replaced)
        or other.triggered_at is not None
        or (other.is_routed and not rests)
        for other in desk.orders_by_key.values()
        if other.account_id == order.account_id
        and other.oco_group == order.oco_group
        and other.id != order.id
    )


def accept(desk: Desk, account: AccountState, order: OrderState) -> None:
    """Take an order: it becomes new, with the quotes that were seen, or reckoned with, then."""
    known = reckoned_on(desk, order)
    seen = json.dumps(known) if known else desk.market.describe(order.instrument.symbol)
    record(desk, order, EventType.NEW, OrderStatus.NEW, str(order.origin), details=seen)
    account.live_orders[order.id] = order


def reckoned_on(desk: Desk, order: OrderState) -> Mapping[str, object]:
    """Return the last prices by which an order that may rest was asked; nothing if by others."""
    known = desk.last_prices.get(order.id)
    return {} if known is None else known.facts()


def wake(desk: Desk, order: OrderState) -> None:
    """Note that what a sleeping order waited for has come, with the quotes that were seen then."""
    order.triggered_at = desk.market.now
    seen = desk.market.describe(order.instrument.symbol)
    record(desk, order, EventType.TRIGGERED, order.status, "house", details=seen)
    if order.oco_group is not None:
        _take_from_alternatives(desk, order, None)


def deny(desk: Desk, order: OrderState, denial: Denial) -> None:
    """Refuse an order for a reason of the house; an order that has begun is ended instead."""
    details = json.dumps({"code": denial.code, "why": denial.why})
    if denial.breach is not None:
        breach = denial.breach
        value = breach.value.quantize(BREACH_QUANTUM, rounding=ROUND_FLOOR)
        measured = breach.measured.quantize(BREACH_QUANTUM, rounding=ROUND_CEILING)
        desk.changes.breaches.append((breach.limit_id, order.id, value, measured))
    end(desk, order, denial.code, RefusedBy.HOUSE, details=details)


def ask_cancel(desk: Desk, order: OrderState, code: ErrorCode | None = None) -> None:
    """Note that an order is to be canceled that is with a provider: a fill wins over it.

    Its client wants that, or the house for the reason of a code, which the order then ends with.
    """
    order.refusal_code = code
    pending = OrderStatus.PENDING_CANCEL
    record(desk, order, EventType.PENDING_CANCEL, pending, _by(code, "client"))


def _by(code: ErrorCode | None, origin: str) -> str:
    """Return who ends an order: whoever asked for it if no code says why, else the house."""
    if code is None:
        return origin
    return str(Origin.STOP_OUT) if code is ErrorCode.ORDER_STOPPED_OUT else "house"


def end(
    desk: Desk,
    order: OrderState,
    code: ErrorCode | None,
    refused_by: RefusedBy | None,
    details: str | None = None,
) -> None:
    """End an order with what it has: rejected if refused before any fill, else canceled."""
    is_rejected = refused_by is not None and not order.filled_quantity
    status = OrderStatus.REJECTED if is_rejected else OrderStatus.CANCELED
    event = EventType.REJECTED if is_rejected else EventType.CANCELED
    order.remaining_quantity = NO_QUANTITY
    order.refusal_code = code
    order.refused_by = refused_by
    order.is_routed = False
    actor = _by(code, str(order.origin)) if refused_by is None else str(refused_by)
    record(desk, order, event, status, actor, details=details)


def expire(desk: Desk, order: OrderState) -> None:
    """End an order whose time is over, with what it has."""
    order.remaining_quantity = NO_QUANTITY
    record(desk, order, EventType.EXPIRED, OrderStatus.EXPIRED, "house")


def execute(desk: Desk, account: AccountState, order: OrderState) -> None:
    """Deal an order that may deal now: pass it on in book A, fill it from the levels in book B.

    A hybrid order may be divided: what is passed on takes the best levels and the house deals
    from those after them, so that the client gets the price of the whole order in either book.
    """
    quantity = reducing.executable(account, order)
    if not quantity or (_is_whole(order) and quantity < order.remaining_quantity):
        finish_dealing(desk, order)
        return
    passed_on = quantity_passed_on(desk, account, order, quantity)
    version = order.version  # before the house's own trades: `routed_versions` leaves them out
    if passed_on < quantity:
        _deal(desk, account, order, quantity, passed_on)
    if passed_on:
        _pass_on(desk, order, passed_on, version)
    else:
        finish_dealing(desk, order)


def _is_whole(order: OrderState) -> bool:
    return order.time_in_force is TimeInForce.FOK


def _pass_on(desk: Desk, order: OrderState, quantity: Decimal, version: int) -> None:
    order.is_routed, order.engine_id = True, desk.engine_id
    desk.changes.routed.append(
        RoutedOrder(
            order.account_id,
            order.id,
            order.instrument.symbol,
            order.side,
            quantity,
            order.limit_price,
            _is_whole(order),
            version,
            aimed_at(desk, order.instrument.symbol, order.side),
            rejected_by(desk, order),
        )
    )
    note_ranking(desk, (order.id, None), order.instrument.symbol, order.side)


def _deal(
    desk: Desk, account: AccountState, order: OrderState, quantity: Decimal, passed_on: Decimal
) -> None:
    """Fill `quantity` of the order from the levels, beyond what is passed on."""
    levels = desk.market.levels(order.instrument.symbol, order.side)
    allocations = allocate(levels, order.side, quantity, order.limit_price)
    if _is_whole(order) and sum((part.quantity for part in allocations), NO_QUANTITY) < quantity:
        allocations = []
    for part in beyond(allocations, passed_on) if passed_on else allocations:
        level = part.level
        provider = desk.providers[level.provider]
        fill(
            desk,
            account,
            order,
            (part.quantity, level.price),
            (provider, None, level.quoted_at),
        )


def finish_dealing(desk: Desk, order: OrderState, refused_by: RefusedBy | None = None) -> None:
    """Cancel what an immediate order could not deal; what may rest, rests."""
    if not order.remaining_quantity:
        return
    if reducing.denial(desk.accounts[order.account_id], order) is not None:
        end(desk, order, ErrorCode.ORDER_NOTHING_TO_REDUCE, None)
    elif not may_rest_with_remainder(order):
        code = ErrorCode.ORDER_LIQUIDITY_EXHAUSTED
        if refused_by is RefusedBy.PROVIDER:
            code = ErrorCode.ORDER_REJECTED_BY_PROVIDER
        end(desk, order, code, refused_by)


def fill(
    desk: Desk,
    account: AccountState,
    order: OrderState,
    dealt: tuple[Decimal, Decimal],
    source: tuple[str, str | None, datetime],
) -> None:
    """Book one execution: the fill, its event, its trades, and the money.

    `dealt` is quantity and price; `source` is the provider's id, its execution id if it dealt
    itself, and the quote's time. What waited as post-only is the maker (decision 050).
    """
    quantity, price = dealt
    fill_id = new_id_text()
    order.filled_quantity += quantity
    order.remaining_quantity -= quantity
    order.fill_value += quantity * price
    order.average_price = mean_price(order.fill_value, order.filled_quantity)
    if not order.remaining_quantity:
        order.refusal_code = None
    status = OrderStatus.PARTIALLY_FILLED if order.remaining_quantity else OrderStatus.FILLED
    record(desk, order, EventType.TRADE, status, str(order.origin), traded=dealt)
    desk.changes.fills.append((fill_id, order.id, quantity, price, *source, order.is_post_only))
    apply_fill(desk, account, order, fill_id, dealt)
    if order.oco_group is not None:
        whole = not order.remaining_quantity
        _take_from_alternatives(desk, order, None if whole else quantity)


def alternatives(desk: Desk, order: OrderState) -> list[OrderState]:
    """Return the live orders of an order's group beside itself."""
    if order.oco_group is None:
        return []
    return [
        other
        for other in desk.accounts[order.account_id].live_orders.values()
        if other.oco_group == order.oco_group and other.id != order.id and other.status.is_live
    ]


def _take_from_alternatives(desk: Desk, order: OrderState, quantity: Decimal | None) -> None:
    """Take what an order has dealt from its alternatives; None cancels them."""
    for other in alternatives(desk, order):
        if other.is_routed:
            if outranks(OrderStatus.PENDING_CANCEL, other.status):
                ask_cancel(desk, other, ErrorCode.ORDER_GROUP_DECIDED)
        elif quantity is None or other.remaining_quantity <= quantity:
            end(desk, other, ErrorCode.ORDER_GROUP_DECIDED, None)
        else:
            was = before_change(other)
            other.quantity -= quantity
            other.remaining_quantity -= quantity
            details = {"quantity": f"{other.quantity:f}", "was": was, "dealt_by": order.id}
            shown = json.dumps(details)
            record(desk, other, EventType.RESTATED, other.status, "house", details=shown)


def record(  # noqa: PLR0913 (the columns of an event)
    desk: Desk,
    order: OrderState,
    event: EventType,
    status: OrderStatus,
    actor: str,
    *,
    traded: tuple[Decimal, Decimal] | None = None,
    details: str | None = None,
) -> None:
    """Take an order one step further and remember the step."""
    came_from = order.status if order.version else None
    order.version += 1
    order.status = status
    quantity, price = traded or (None, None)
    desk.changes.events.append(
        (order.id, order.version, event, came_from, status, quantity, price, actor, details)
    )
    desk.changes.orders[order.id] = order
