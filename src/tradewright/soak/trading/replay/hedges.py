"""Replays the house's position with providers from the executions of its hedges.

One net position per symbol: an execution closes it first and opens the other side with the rest.
The result is in the quote currency, rounded half to even to its minor unit, and moves between the
house's own accounts.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal

from tradewright.soak.trading.replay.record import Difference, HedgeFill, Record, Standing

_PRECISE = Context(prec=60)
_PRICE = Decimal("0.00000001")


@dataclass(slots=True)
class _Hedged:
    """What the house holds with providers in a symbol."""

    seq: int = 0
    quantity: Decimal = Decimal(0)
    price: Decimal = Decimal(0)

    def take(self, fill: HedgeFill) -> Decimal:
        """Take one execution; return its result."""
        self.seq += 1
        closed, opened = Decimal(0), fill.quantity
        if self.quantity * fill.quantity < 0:
            size = min(abs(self.quantity), abs(fill.quantity))
            closed = size if fill.quantity > 0 else -size
            opened = fill.quantity - closed
        result = _PRECISE.multiply(_PRECISE.subtract(self.price, fill.price), closed)
        self.quantity += closed
        if opened:
            before = _PRECISE.multiply(self.quantity, self.price)
            value = _PRECISE.add(before, _PRECISE.multiply(opened, fill.price))
            self.quantity += opened
            exact = _PRECISE.divide(value, self.quantity)
            self.price = exact.quantize(_PRICE, rounding=ROUND_HALF_EVEN, context=_PRECISE)
        unit = Decimal(1).scaleb(-fill.minor_units)
        return result.quantize(unit, rounding=ROUND_HALF_EVEN, context=_PRECISE)


def replay_hedges(record: Record) -> Iterator[Difference]:
    """Yield where a hedge, its executions and the house's position do not agree."""
    filled: dict[str, Decimal] = defaultdict(Decimal)
    for fill in record.hedge_fills:
        filled[fill.hedge_id] += fill.quantity
    for hedge in record.hedges:
        signed = filled.pop(hedge.id, Decimal(0))
        found = signed if hedge.side == "buy" else -signed
        fields = {
            "filled_quantity": (hedge.filled_quantity, found),
            "status": (hedge.status, _status(hedge.status, found, hedge.quantity)),
        }
        yield from Standing("hedge", hedge.id, fields).differences()
    for hedge_id in filled:
        yield Difference("hedge", hedge_id, "row", None, "a hedge of recorded fills")
    yield from _along_the_fills(record)


def _along_the_fills(record: Record) -> Iterator[Difference]:
    held: dict[str, _Hedged] = defaultdict(_Hedged)
    moved = _results(record)
    for fill in record.hedge_fills:
        position = held[fill.symbol]
        pnl = position.take(fill)
        fields = {
            "seq": (fill.seq, position.seq),
            "realised_pnl": (fill.realised_pnl, pnl),
            "position_quantity": (fill.position_quantity, position.quantity),
            "position_average_price": (fill.position_average_price, position.price),
            "amount in the ledger": (moved.get(fill.id, Decimal(0)), abs(pnl)),
        }
        yield from Standing("hedge fill", fill.id, fields).differences()


def _results(record: Record) -> Mapping[str, Decimal]:
    """Return what was moved for each execution's result."""
    moved: dict[str, Decimal] = defaultdict(Decimal)
    for transfer in record.transfers:
        if transfer.operation == "hedge_pnl":
            moved[transfer.transaction_id] += transfer.amount
    return moved


def _status(recorded: str, filled: Decimal, quantity: Decimal) -> str:
    """Return where the executions leave a hedge; whether it waits for more only its row says."""
    if filled == quantity:
        return "filled"
    if recorded == "open":
        return "open"
    return "partially_filled" if filled else "rejected"
