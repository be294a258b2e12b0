"""How a batch books what providers answered: each execution once, none of them lost.

An execution that fits its order is a fill. One that does not (the order has ended, or asked for
less, or for a better price, or its request did; or the other side, another symbol or currency) is
set aside in unsolicited_fills for people to decide about: the provider has dealt, whatever we think
of it.
"""

from decimal import Decimal
from enum import StrEnum

from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.model import ProviderAnswer, ProviderRequest, Side
from tradewright.trading import orders, reducing, replacing
from tradewright.trading.going_on import end_stopped, stop_of
from tradewright.trading.model import (
    BookAnswers,
    EventType,
    NothingDone,
    OrderReport,
    OrderStatus,
    RefusedBy,
)
from tradewright.trading.positions import require_rates
from tradewright.trading.rollovers import require_late_swap, roll_over_late
from tradewright.trading.state import AccountState, Desk, OrderState

Told = tuple[ProviderRequest, ProviderAnswer]


OWNER_LENGTH = 36
"""What of a request's id is that of its order or hedge."""


class Unsolicited(StrEnum):
    """Why an execution was set aside."""

    ORDER_UNKNOWN = "order_unknown"
    ORDER_ENDED = "order_ended"
    MORE_THAN_ASKED = "more_than_asked"
    BEYOND_LIMIT = "beyond_limit"
    CONTRADICTS_REQUEST = "contradicts_request"


def book_answers(
    desk: Desk, account: AccountState, command: BookAnswers
) -> OrderReport | NothingDone:
    """Book what the providers answered for a routed order, once; then what its client has asked.

    Which word is the last, and whether another provider is asked, says the order's own engine.

    Raises:
        StateError: ORDER_RATE_MISSING, when what was dealt cannot be valued yet.

    """
    order = desk.orders.get(command.order_id)
    if order is None or not order.is_routed:
        return _set_all_aside(desk, command)
    if any(answer.dealt_quantity for _, answer in command.answers):
        require_rates(desk, account, order.instrument)
        require_late_swap(desk, account, order, command)
    for request, answer in command.answers:
        if answer.is_final:
            desk.changes.answers.append((order.id, request, answer))
    asked = order.status
    for told in command.answers:
        _deal(desk, account, order, told)
    is_ours = order.engine_id == desk.engine_id
    stop = stop_of(desk, account, order) if is_ours and command.may_go_on else None
    stops = command.may_go_on and (asked.is_pending_change or stop is not None)
    is_final = is_ours and (command.is_final or stops)
    order.is_routed = bool(order.remaining_quantity) and not is_final
    if command.may_go_on:
        desk.changes.going_on[order.id] = order.is_routed and is_ours
    if end_stopped(desk, order, stop, asked):
        return order.report()
    if asked.is_pending_change and order.remaining_quantity:
        _follow_wish(desk, account, order, asked)
    elif is_final:
        _end_round(desk, order, was_asked=bool(command.answers))
    return order.report()


def _follow_wish(desk: Desk, account: AccountState, order: OrderState, asked: OrderStatus) -> None:
    """Do what the order's client has asked for, or note again that it waits for the provider."""
    if asked is OrderStatus.PENDING_CANCEL:
        _cancel_further(desk, order)
    else:
        replacing.conclude(desk, account, order, desk.replacements_waiting[order.id])


def _set_all_aside(desk: Desk, command: BookAnswers) -> NothingDone:
    """Set aside what was dealt for an order that is with no provider any more."""
    for told in command.answers:
        if not is_known(desk, told):
            set_aside(desk, told, told[1].quantity, Unsolicited.ORDER_ENDED)
    if command.may_go_on:
        desk.changes.going_on[command.order_id] = False
    return NothingDone("the order is not with a provider")


def _cancel_further(desk: Desk, order: OrderState) -> None:
    """Cancel what is left of an order, or note again that it is wanted while a provider thinks."""
    if not order.is_routed:
        orders.end(desk, order, order.refusal_code, None)
    elif order.status is not OrderStatus.PENDING_CANCEL:
        orders.ask_cancel(desk, order, order.refusal_code)


def _end_round(desk: Desk, order: OrderState, *, was_asked: bool) -> None:
    """Let an order that every provider has answered end, or rest again."""
    orders.finish_dealing(desk, order, RefusedBy.PROVIDER if was_asked else RefusedBy.HOUSE)
    if order.status.is_live:
        orders.record(desk, order, EventType.RESTATED, order.status, "provider")


def _deal(desk: Desk, account: AccountState, order: OrderState, told: Told) -> None:
    """Fill the order with an execution, as far as its request asked and the order still asks."""
    request, answer = told
    if is_known(desk, told) or answer.price is None:
        return
    name = take_name(desk, told)
    why = misfit(told, order.side, order.instrument, order.limit_price)
    if why is not None:
        set_aside(desk, told, answer.quantity, why)
        return
    asked_for = request.quantity - (answer.dealt_quantity - answer.quantity)
    wanted = max(Decimal(0), min(answer.quantity, asked_for))
    quantity = reducing.bookable(account, order, wanted)
    if quantity:
        source = (desk.providers[answer.provider], name, answer.decided_at)
        count = len(desk.changes.trades)
        orders.fill(desk, account, order, (quantity, answer.price), source)
        roll_over_late(desk, account, answer, desk.changes.trades[count:])
    if answer.quantity > quantity:
        set_aside(desk, told, answer.quantity - quantity, Unsolicited.MORE_THAN_ASKED)


def is_known(desk: Desk, told: Told) -> bool:
    """Return whether there is nothing to book: no execution, or one that was booked before."""
    answer = told[1]
    return answer.price is None or (answer.provider, _name(desk, told)) in desk.executions_before


def take_name(desk: Desk, told: Told) -> str:
    """Return what an execution is called, which is known from then on."""
    name = _name(desk, told)
    desk.executions_before.setdefault((told[1].provider, name), set()).add(owner_of(told[0]))
    return name


def _name(desk: Desk, told: Told) -> str:
    """Return the ExecID, or with its request behind it where another has had it before."""
    request, answer = told
    owners = desk.executions_before.get((answer.provider, answer.execution_id))
    full = (answer.provider, answer.execution_id, request.request_id)
    is_ours = owners is None or owner_of(request) in owners
    if is_ours and full not in desk.executions_renamed:
        return answer.execution_id
    return longer_name(request, answer)


def longer_name(request: ProviderRequest, answer: ProviderAnswer) -> str:
    """Return what an execution is called whose ExecID is another order's (decision 073)."""
    return f"{answer.execution_id}@{request.request_id}"


def owner_of(request: ProviderRequest) -> str:
    """Return the order or hedge that a request is of, by its id; or what else it is named by."""
    return request.request_id[:OWNER_LENGTH]


def misfit(
    told: Told, side: Side, instrument: Instrument, limit_price: Decimal | None
) -> Unsolicited | None:
    """Return why an execution is not what was asked for, by an order or hedge and its request."""
    if _is_contradictory(told, side, instrument):
        return Unsolicited.CONTRADICTS_REQUEST
    limits = limit_price, told[0].limit_price
    return Unsolicited.BEYOND_LIMIT if any(_is_beyond(told, one) for one in limits) else None


def _is_contradictory(told: Told, side: Side, instrument: Instrument) -> bool:
    """Return whether a provider has dealt something else than was asked for.

    The currency of a pair's quantity is its base; of what else is traded it may be the price's.
    """
    request, answer = told
    currencies = {instrument.base_currency}
    if not instrument.asset_class.is_forex:
        currencies.add(instrument.quote_currency)
    return (
        {request.symbol, answer.symbol or request.symbol} != {instrument.symbol}
        or {request.side, answer.side or request.side} != {side}
        or (answer.currency or instrument.base_currency) not in currencies
    )


def _is_beyond(told: Told, limit_price: Decimal | None) -> bool:
    """Return whether a provider has dealt at a price that is worse than a limit."""
    request, answer = told
    if answer.price is None or limit_price is None:
        return False
    return (answer.price - limit_price) * request.side.sign > 0


def set_aside(desk: Desk, told: Told, quantity: Decimal, why: Unsolicited) -> None:
    """Keep an execution, or the part of it that fits nothing, for people to decide about."""
    request, answer = told
    desk.changes.unsolicited.append(
        (
            desk.providers[answer.provider],
            take_name(desk, told),
            request.request_id,
            answer.symbol or request.symbol,
            answer.side or request.side,
            quantity,
            answer.price,
            why,
            answer.decided_at,
        )
    )
