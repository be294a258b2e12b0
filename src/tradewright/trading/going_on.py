"""Whether the next provider may be asked for an order, when the one before has said its last word.

That may be long after the order was taken. So what says whether anything is dealt at all is asked
again, under the account's lock: its time, the account, halts, the instrument, its session, and
breakers. What only reduces is stopped by its time and the session alone. Margin and limits are not
asked again: the whole order has counted as open since it was taken, and nothing could take its
room. Prices are looked at anew by `dispatch`, which asks nobody where none is fresh.
"""

import json
from decimal import Decimal

from msgspec import Struct

from tradewright.core.errors import ErrorCode
from tradewright.risk.checks import first_denial_again
from tradewright.risk.model import Denial, OrderFacts
from tradewright.trading import orders
from tradewright.trading.conditions import may_rest_with_remainder
from tradewright.trading.expiry import has_expired
from tradewright.trading.in_flight import routed_orders
from tradewright.trading.model import OrderStatus
from tradewright.trading.positions import match_fill
from tradewright.trading.state import AccountState, Desk, OrderState


class Stop(Struct, frozen=True):
    """Why nobody else is asked for what is left of an order; without a denial, its time is over."""

    denial: Denial | None


def stop_of(desk: Desk, account: AccountState, order: OrderState) -> Stop | None:
    """Return why nobody else may be asked for a routed order; None when it may go on."""
    if not order.remaining_quantity:
        return None
    if has_expired(desk, order):
        return Stop(None)
    denial = first_denial_again(_facts(desk, account, order))
    return None if denial is None else Stop(denial)


def end_stopped(desk: Desk, order: OrderState, stop: Stop | None, asked: OrderStatus) -> bool:
    """End an order that was stopped; return whether its own rest or its client's wish decides not.

    What may rest outlives a closed session, as it does when its price is reached in one.
    """
    if stop is None or asked is OrderStatus.PENDING_CANCEL:
        return False
    if stop.denial is None:
        orders.expire(desk, order)
        return True
    code, why = stop.denial.code, stop.denial.why
    if code is ErrorCode.INSTRUMENT_SESSION_CLOSED and may_rest_with_remainder(order):
        return False
    orders.end(desk, order, code, None, details=json.dumps({"code": code, "why": why}))
    return True


def _facts(desk: Desk, account: AccountState, order: OrderState) -> OrderFacts:
    """Gather what is asked again; there is nothing of prices in it."""
    instrument, reference = order.instrument, desk.reference
    return OrderFacts(
        account_is_active=account.is_active,
        instrument=instrument,
        is_in_session=instrument.is_in_session(desk.market.now),
        side=order.side,
        quantity=order.remaining_quantity,
        reduces=not _may_open(account, order),
        is_resting=False,
        reference_price=None,
        stop_loss=None,
        take_profit=None,
        rates=None,
        free_margin_after=Decimal,
        halt=reference.halts.of(account.id, account.group.code, instrument.symbol),
        breaker=reference.breakers.of(instrument.symbol),
    )


def _may_open(account: AccountState, order: OrderState) -> bool:
    """Return whether what is left of an order may open anything, beside those before it."""
    if order.is_reduce_only or order.position_id is not None:
        return False
    closes: dict[str, Decimal] = {}
    for other in sorted(routed_orders(account), key=lambda one: one.id):
        if other is order:
            break
        signed = other.remaining_quantity * other.side.sign
        for position, part in match_fill(account, other, signed, closes).closes:
            closes[position.id] = closes.get(position.id, Decimal(0)) + part
    signed = order.remaining_quantity * order.side.sign
    return bool(match_fill(account, order, signed, closes).opens)
