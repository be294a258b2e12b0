"""Replays swaps: what each position was charged or paid for being held over 17:00 in New York.

In points: size times rate times tick, for each day, converted at the recorded rate and rounded
half to even. The size is what the position's trades had left open by then.
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
    booked: dict[str, Decimal] = defaultdict(Decimal)
    for entry in record.entries:
        if entry.operation == "swap":
            signed = entry.amount if entry.effect == "credit" else -entry.amount
            booked[entry.transaction_id] += signed
    for rollover in record.rollovers:
        before = [one for one in trades[rollover.position_id] if one.id < rollover.id]
        fields = {
            "quantity": (rollover.quantity, before[-1].position_quantity if before else None),
            "amount": (rollover.amount, _swap(rollover)),
            "amount in the ledger": (booked.pop(rollover.id, Decimal(0)), rollover.amount),
        }
        yield from Standing("rollover", rollover.id, fields).differences()
    for transaction_id in booked:
        yield Difference("entry", f"swap of {transaction_id}", "rollover", None, "a rollover")


def _swap(rollover: Rollover) -> Decimal:
    """Return the swap of one position for one rollover."""
    rate = rollover.long_rate if rollover.quantity > 0 else rollover.short_rate
    exact = abs(rollover.quantity)
    for factor in (rate, rollover.tick, Decimal(rollover.days), rollover.conversion_rate):
        exact = _PRECISE.multiply(exact, factor)
    unit = Decimal(1).scaleb(-rollover.minor_units)
    return exact.quantize(unit, rounding=ROUND_HALF_EVEN, context=_PRECISE)
