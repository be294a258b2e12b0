"""Replays swaps: what each position was charged or paid for being held over 17:00 in New York.

In points: size times rate times tick, for each day, converted at the recorded rate and rounded
half to even. The size is what the position's trades had left open by then; where a provider told
only later of what it had dealt before, a row of its own is the difference that this makes. A trade
that takes another back gives of what was paid for the day what belongs to its quantity. Swap-free
accounts pay a fee for each lot and day instead, on either side, when the free nights are over.
"""

from collections import defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Context, Decimal

from tradewright.soak.trading.replay.record import (
    Difference,
    Record,
    Rollover,
    Standing,
    Trade,
)

_PRECISE = Context(prec=60)


def replay_rollovers(record: Record) -> Iterator[Difference]:
    """Yield where a rollover is not what its position and its terms make it, or the ledger's."""
    trades: dict[str, list[Trade]] = defaultdict(list)
    for trade in sorted(record.trades, key=lambda one: one.id):
        trades[trade.position_id].append(trade)
    booked = _booked(record)
    held: dict[tuple[object, ...], Decimal] = defaultdict(Decimal)
    paid: dict[tuple[object, ...], Decimal] = defaultdict(Decimal)
    reversing = {trade.id for trade in record.trades if trade.effect == "reverse"}
    for rollover in record.rollovers:
        place = (rollover.position_id, rollover.rollover_on)
        key = (rollover.id, rollover.operation)
        before, held[place] = held[place], held[place] + rollover.quantity
        amount = _swap(rollover, before, held[place])
        if rollover.trade_id in reversing:
            amount = _given_back(rollover, before, paid[place])
        paid[place] += rollover.amount
        fields = {
            "quantity": (rollover.quantity, _quantity(rollover, trades[rollover.position_id])),
            "amount": (rollover.amount, amount),
            "amount in the ledger": (booked.pop(key, Decimal(0)), rollover.amount),
        }
        yield from Standing("rollover", rollover.id, fields).differences()
    for key in booked:
        yield Difference("entry", f"{key[1]} of {key[0]}", "rollover", None, "a rollover")


def _booked(record: Record) -> dict[tuple[str, str], Decimal]:
    """Return what the ledger has moved for each swap and each fee."""
    booked: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for entry in record.entries:
        if entry.operation in {"swap", "swap_free_fee"}:
            signed = entry.amount if entry.effect == "credit" else -entry.amount
            booked[entry.transaction_id, entry.operation] += signed
    return booked


def _quantity(rollover: Rollover, trades: list[Trade]) -> Decimal | None:
    """Return what the trades before it had left open, or what its own late trade has changed."""
    if rollover.trade_id is not None:
        late = [one.quantity for one in trades if one.id == rollover.trade_id]
        return late[0] if late else None
    before = [one for one in trades if one.id < rollover.id]
    return before[-1].position_quantity if before else None


def _swap(rollover: Rollover, before: Decimal, after: Decimal) -> Decimal:
    """Return what the swap of a position for a day changes by, from one quantity to another.

    Nothing but the fee where the account is swap-free.
    """
    is_fee = rollover.operation == "swap_free_fee"
    worth, unit_price = (_fee, Decimal(1)) if is_fee else (_points, rollover.tick)
    exact = _PRECISE.subtract(worth(rollover, after), worth(rollover, before))
    for factor in (unit_price, Decimal(rollover.days), rollover.conversion_rate):
        exact = _PRECISE.multiply(exact, factor)
    unit = Decimal(1).scaleb(-rollover.minor_units)
    return exact.quantize(unit, rounding=ROUND_HALF_EVEN, context=_PRECISE)


def _given_back(rollover: Rollover, held: Decimal, paid: Decimal) -> Decimal:
    """Return what of a day's swap belongs to what is taken back, and no more than all of it."""
    if held * rollover.quantity >= 0:
        return Decimal(0)
    part = min(abs(rollover.quantity), abs(held))
    exact = _PRECISE.divide(_PRECISE.multiply(-paid, part), abs(held))
    unit = Decimal(1).scaleb(-rollover.minor_units)
    return exact.quantize(unit, rounding=ROUND_HALF_EVEN, context=_PRECISE)


def _fee(rollover: Rollover, quantity: Decimal) -> Decimal:
    if rollover.in_grace:
        return Decimal(0)
    lots = _PRECISE.divide(abs(quantity), rollover.lot)
    return _PRECISE.multiply(-lots, rollover.fee)


def _points(rollover: Rollover, quantity: Decimal) -> Decimal:
    rate = rollover.long_rate if quantity > 0 else rollover.short_rate
    return _PRECISE.multiply(abs(quantity), rate)
