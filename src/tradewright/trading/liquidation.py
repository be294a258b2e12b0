"""Margin calls and stop-outs: what the house does when an account cannot carry its positions.

Rules (domain 1.5; ESMA Decision (EU) 2018/796): at or below the margin-call level one call is
open; below the stop-out level the pending orders are canceled and positions closed until the level
is restored: the largest unrealised loss first (ties: larger margin, then older), or, in groups that
want it, just enough of the largest margin. What is hedged so that it uses no margin has no level:
it is below all levels if equity is below zero, and above all otherwise. A retail account that ends
below zero with nothing open is lifted to zero at the house's expense. A position without a fresh
price or outside its session is left alone and people are told; nothing loops: the watcher asks
again with the next quote. Such a position counts by the last price known (decision 042), so that
the others are looked after; nothing is dealt on that. What providers reject is tried again later
each time (`backing_off`). What people were told of it is over with the first check that finds the
account not below that level, or without positions.
"""

from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal

from tradewright.core.errors import ErrorCode
from tradewright.core.ids import new_id_text
from tradewright.ledger.model import HouseCode
from tradewright.liquidity.last_prices import LatestPrices
from tradewright.liquidity.model import Side
from tradewright.risk.margin import Exposure, MarginState, margin_state, unrealised_pnl
from tradewright.risk.model import ClientClass, HedgedMargin
from tradewright.risk.stop_out import StopOutMode, quantity_to_close
from tradewright.routing.rules import allocate
from tradewright.trading import orders
from tradewright.trading.backing_off import is_put_off, told
from tradewright.trading.closing import close, first_in_turn, is_being_closed
from tradewright.trading.in_flight import in_flight
from tradewright.trading.lifecycle import outranks
from tradewright.trading.model import CheckMargin, MarginReport, NothingDone, OrderStatus, Origin
from tradewright.trading.positions import match_fill
from tradewright.trading.state import AccountState, Desk, OrderState, PositionState

LEVEL_QUANTUM = Decimal("0.0001")
AMOUNT_QUANTUM = Decimal("0.00000001")

_NOTHING = Decimal(0)


def check_margin(
    desk: Desk, account: AccountState, command: CheckMargin
) -> MarginReport | NothingDone:
    """Look at the account's margin level under lock and do what it asks for."""
    if command.failure is not None:
        _escalate(desk, account, f"the check of its margin level fails with {command.failure}")
        return NothingDone("people are told")
    state = _state(desk, account)
    if state is None:
        return NothingDone("a price or rate has not been known yet", may_last=True)
    if not account.open_positions:
        return _without_positions(desk, account, state)
    if state.is_below(account.profile.stop_out_level):
        return _stop_out(desk, account, state, command)
    desk.changes.not_stuck.append(account.id)
    if state.is_above(account.profile.margin_call_level):
        return MarginReport(account.id, state.level, resolved=_resolve(desk, account))
    return MarginReport(account.id, state.level, called=_call(desk, account, state))


def _state(desk: Desk, account: AccountState) -> MarginState | None:
    exposures = [position.exposure() for position in account.open_positions]
    prices = LatestPrices(desk.market)
    return margin_state(account.profile, account.holder.available, exposures, prices)


def _call(desk: Desk, account: AccountState, state: MarginState) -> bool:
    """Open a margin call unless one is open; return whether it was opened."""
    if account.margin_call_id is not None or state.level is None:
        return False
    account.margin_call_id = new_id_text()
    desk.changes.margin_calls.append(
        (
            account.margin_call_id,
            account.id,
            state.level.quantize(LEVEL_QUANTUM, rounding=ROUND_HALF_EVEN),
            state.equity.quantize(AMOUNT_QUANTUM, rounding=ROUND_HALF_EVEN),
            state.used.quantize(AMOUNT_QUANTUM, rounding=ROUND_HALF_EVEN),
            desk.market.now,
        )
    )
    return True


def _resolve(desk: Desk, account: AccountState) -> bool:
    """Resolve the open margin call if there is one; return whether there was."""
    if account.margin_call_id is None:
        return False
    desk.changes.resolved_calls.append((account.margin_call_id, desk.market.now))
    account.margin_call_id = None
    return True


def _without_positions(desk: Desk, account: AccountState, state: MarginState) -> MarginReport:
    """Settle an account in which nothing is open any more."""
    desk.changes.not_stuck.append(account.id)
    named, resolved = (new_id_text(), account.margin_call_id), _resolve(desk, account)
    forgiven = _forgive(desk, account, named[0])
    if forgiven:
        _write_stop_out(desk, account, named, state, (0, 0, forgiven))
    return MarginReport(account.id, None, resolved=resolved, forgiven=forgiven)


def _stop_out(
    desk: Desk, account: AccountState, state: MarginState, command: CheckMargin
) -> MarginReport:
    called = _call(desk, account, state)
    canceled = _cancel_pending(desk, account)
    closed = _close_until_restored(desk, account)
    named = new_id_text(), account.margin_call_id
    forgiven = _NOTHING if account.open_positions else _forgive(desk, account, named[0])
    after = _state(desk, account)
    if (rejected := told(desk, account)) is not None:
        _escalate(desk, account, rejected)
    elif not closed and (command.is_overdue or not _waits(desk, account)):
        _escalate(desk, account, f"at {_shown(state)} nothing of it can be closed now")
    restored = not account.open_positions or (
        after is not None and after.is_above(account.profile.margin_call_level)
    )
    resolved = restored and _resolve(desk, account)
    is_below = not restored and (after is None or after.is_below(account.profile.stop_out_level))
    if not is_below:
        desk.changes.not_stuck.append(account.id)
    if canceled or closed or forgiven:
        _write_stop_out(desk, account, named, state, (canceled, closed, forgiven))
    is_stuck = not (called or resolved or canceled or closed or forgiven)
    done = called, resolved, canceled, closed, forgiven
    return MarginReport(account.id, state.level, *done, is_stuck=is_stuck, is_below=is_below)


def _shown(state: MarginState) -> str:
    """Return the level as people read it, or what is owed where no margin is used."""
    if state.level is None:
        return f"an equity of {state.equity:.2f} without used margin"
    return f"{state.level:.2f} percent"


def _cancel_pending(desk: Desk, account: AccountState) -> int:
    """Cancel what rests, and ask back from providers what would open; return how many."""
    count = 0
    for order in list(account.live_orders.values()):
        if not order.status.is_live:
            continue
        if not order.is_routed:
            orders.end(desk, order, ErrorCode.ORDER_STOPPED_OUT, None)
            count += 1
        elif _opens(account, order) and outranks(OrderStatus.PENDING_CANCEL, order.status):
            orders.ask_cancel(desk, order, ErrorCode.ORDER_STOPPED_OUT)
            count += 1
    return count


def _waits(desk: Desk, account: AccountState) -> bool:
    """Return whether anything is with a provider that would close it, or is soon to be again."""
    return any(
        is_being_closed(account, one) or is_put_off(desk, account, one.instrument.symbol)
        for one in account.open_positions
    )


def _opens(account: AccountState, order: OrderState) -> bool:
    signed = order.remaining_quantity * order.side.sign
    return not order.is_reduce_only and bool(match_fill(account, order, signed).opens)


def _is_under_way(account: AccountState) -> bool:
    """Return whether a provider has the next word about what a stop-out closes."""
    return any(
        order.is_routed and order.origin is Origin.STOP_OUT
        for order in account.live_orders.values()
    )


def _close_until_restored(desk: Desk, account: AccountState) -> int:
    """Close positions in order of loss until the level is restored; return how many.

    What is passed on goes one position at a time: what the provider fills decides about the next.
    """
    count = 0
    if _is_under_way(account):
        return count
    for losing in _in_turn(desk, account):
        position = first_in_turn(account, losing)
        quantity = _closable(desk, account, position)
        if quantity is None:
            continue
        order = close(desk, account, position, Origin.STOP_OUT, (quantity, None))
        count += bool(order.is_routed or order.filled_quantity)
        if order.is_routed:
            return count
        state = _state(desk, account)
        if state is None or not state.is_below(account.profile.stop_out_level):
            return count
    return count


def _closable(desk: Desk, account: AccountState, position: PositionState) -> Decimal | None:
    """Return how much of a position to close now; None where nothing of it can be.

    What an order with a provider would close is left to that. Where no provider takes as little
    as is needed, it is the least that one takes.
    """
    free = _free(account, position)
    wanted = min(_needed(desk, account, position) or free, free)
    side = Side.SELL if position.quantity > 0 else Side.BUY
    levels = desk.market.levels(position.instrument.symbol, side)
    step = position.instrument.quantity_step
    least = {(one.quantity_min / step).to_integral_value(ROUND_CEILING) * step for one in levels}
    for quantity in (wanted, *sorted(one for one in least if wanted < one < free), free):
        if allocate(levels, side, quantity, None):
            return quantity
    return None


def _free(account: AccountState, position: PositionState) -> Decimal:
    """Return how much of a position no order with a provider would close."""
    held = abs(position.quantity)
    if not is_being_closed(account, position):
        return held
    closes = in_flight(account).closes.get(position.id)
    return _NOTHING if closes is None else held - abs(closes)


def _in_turn(desk: Desk, account: AccountState) -> Iterator[PositionState]:
    """Give what to close next: each losing position once, or what frees most again and again.

    The smart way ends because each turn takes a position's last part, or restores the level but
    for commission and the depth of the market; it is given twice as many turns as positions.
    """
    if account.group.stop_out_mode is StopOutMode.LARGEST_LOSS:
        yield from _by_loss(desk, account)
        return
    for _ in range(2 * len(account.open_positions)):
        ranked = [one for one in _by_loss(desk, account) if _free(account, one)]
        if not ranked:
            return
        yield min(ranked, key=lambda one: _smart_rank(desk, account, one))


def _smart_rank(
    desk: Desk, account: AccountState, position: PositionState
) -> tuple[Decimal, Decimal, str]:
    """Rank first what frees most margin; of equals what binds most by itself, then the older."""
    freed = _freed(desk, account, position, _useful(account, position))
    return -freed, -_used(desk, account, [position.exposure()]), position.id


def _needed(desk: Desk, account: AccountState, position: PositionState) -> Decimal | None:
    """Return how much of a position must be closed; None for the whole of it.

    Without equity that is everything. Of equal legs, where the larger binds, closing one frees
    margin only when as much of the other follows, so it is measured by itself.
    """
    state = _state(desk, account)
    if account.group.stop_out_mode is StopOutMode.LARGEST_LOSS or state is None:
        return None
    if state.equity <= 0:
        return None
    useful = _useful(account, position)
    is_even = _freed(desk, account, position, useful) <= 0
    return quantity_to_close(
        state,
        account.profile.stop_out_level,
        held=useful,
        step=position.instrument.quantity_step,
        freed=lambda quantity: (
            _used(desk, account, [_part(position, quantity)])
            if is_even
            else _freed(desk, account, position, quantity)
        ),
    )


def _useful(account: AccountState, position: PositionState) -> Decimal:
    """Return how much of a position frees margin: up to where a hedged pair is even."""
    held = abs(position.quantity)
    left = account.held(position.instrument.symbol)
    if account.profile.hedged_margin is HedgedMargin.SUM or left * position.quantity <= 0:
        return held
    return min(held, abs(left))


def _part(position: PositionState, quantity: Decimal) -> Exposure:
    return Exposure(position.instrument, quantity, position.average_price, position.opening_rate)


def _freed(
    desk: Desk, account: AccountState, position: PositionState, quantity: Decimal
) -> Decimal:
    """Return by how much less margin is used when a quantity of a position is closed.

    With tiers, closing any of them empties the highest bracket; where pairs are taken together,
    closing what hedges another frees nothing, or binds more.
    """
    held = account.positions[position.instrument.symbol]
    left = [one.exposure_without(quantity if one is position else _NOTHING) for one in held]
    return _used(desk, account, [one.exposure() for one in held]) - _used(desk, account, left)


def _used(desk: Desk, account: AccountState, exposures: list[Exposure]) -> Decimal:
    state = margin_state(account.profile, _NOTHING, exposures, LatestPrices(desk.market))
    return _NOTHING if state is None else state.used


def _escalate(desk: Desk, account: AccountState, why: str) -> None:
    """Tell people what the house cannot do by itself: nothing is dealt on a stale price."""
    what = f"account {account.id} needs a look: {why}"
    desk.changes.alerts.append(("critical", "account_stuck", account.id, what))


def _by_loss(desk: Desk, account: AccountState) -> list[PositionState]:
    """Return the open positions with a price and a session, the largest unrealised loss first.

    Not those whose swap is due and waits for a rate, or that providers have just rejected.
    """
    ranked = []
    for position in account.open_positions:
        if not position.instrument.is_in_session(desk.market.now):
            continue
        symbol = position.instrument.symbol
        if (account.id, symbol) in desk.unvalued or is_put_off(desk, account, symbol):
            continue
        exposure = position.exposure()
        pnl = unrealised_pnl(account.profile, exposure, desk.market)
        alone = margin_state(account.profile, _NOTHING, [exposure], desk.market)
        if pnl is not None and alone is not None:
            ranked.append((pnl, -alone.used, position.id, position))
    return [entry[3] for entry in sorted(ranked, key=lambda entry: entry[:3])]


def _forgive(desk: Desk, account: AccountState, stop_out_id: str) -> Decimal:
    """Lift a retail account's negative balance to zero; return the amount."""
    if not owes_what_is_forgiven(account):
        return _NOTHING
    balance = account.holder.available
    desk.journal.receive(
        account.holder,
        -balance,
        transaction_id=stop_out_id,
        operation="nbp_adjustment",
        source=desk.house[account.profile.currency][HouseCode.NEGATIVE_BALANCE],
    )
    return -balance


def owes_what_is_forgiven(account: AccountState) -> bool:
    """Return whether the account is a retail client's and below zero."""
    return account.holder.available < 0 and account.profile.client_class is ClientClass.RETAIL


def _write_stop_out(
    desk: Desk,
    account: AccountState,
    named: tuple[str, str | None],
    state: MarginState,
    done: tuple[int, int, Decimal],
) -> None:
    """Write a stop-out, named by its id and the margin call under which it is."""
    level = state.level
    shown = None if level is None else level.quantize(LEVEL_QUANTUM, rounding=ROUND_HALF_EVEN)
    desk.changes.stop_outs.append(
        (
            named[0],
            account.id,
            shown,
            state.equity.quantize(AMOUNT_QUANTUM, rounding=ROUND_HALF_EVEN),
            state.used.quantize(AMOUNT_QUANTUM, rounding=ROUND_HALF_EVEN),
            *done,
            desk.market.now,
            named[1],
        )
    )
