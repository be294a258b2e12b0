"""Replays positions from fills and pairings, by the mode of each account.

Netting: one position per symbol; a fill closes it first and opens the other side with the rest.
Hedging: each fill opens a position, unless its order names the one it closes, or only reduces and
so closes the oldest. FIFO: a fill closes the oldest first; only an order that names a position
closes another. A result is what was closed
times the difference of prices, in the quote currency, times the rate that the trade has recorded,
rounded half to even to the account's minor unit. A close takes of all that a position's trades have
opened in proportion; what is left of one may be taken back at its price, when its fill is busted.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from itertools import pairwise

from tradewright.soak.trading.replay.record import (
    Account,
    CloseBy,
    Difference,
    Fill,
    Order,
    Position,
    Record,
    Standing,
    Trade,
)

_PRECISE = Context(prec=60)
_PRICE = Decimal("0.00000001")
_NOTHING = Decimal(0)

Step = tuple[str, str | None, Decimal, Decimal]
"""What a cause does to one position: effect, the position (None: a new one), quantity, price."""


@dataclass(slots=True)
class _Held:
    """A position in the replay; `opened` is what is left of what each trade has opened."""

    id: str
    quantity: Decimal = _NOTHING
    average_price: Decimal = _NOTHING
    realised_pnl: Decimal = _NOTHING
    version: int = 0
    opened: dict[str, Fraction] = field(default_factory=dict)

    def take(self, trade_id: str, effect: str, quantity: Decimal) -> None:
        """Note what a trade opens, or takes of all that was opened; after it was done."""
        if effect == "open":
            self.opened[trade_id] = Fraction(abs(quantity))
        else:
            left = Fraction(abs(self.quantity))
            share = left / (left + Fraction(abs(quantity)))
            self.opened = {key: part * share for key, part in self.opened.items()}


@dataclass(slots=True)
class _Book:
    """All positions in the replay; `open` are those of an account and symbol, the oldest first.

    What is left of each trade is only kept if some are taken back.
    """

    accounts: Mapping[str, Account]
    takes_back: bool
    held: dict[str, _Held] = field(default_factory=dict)
    open: dict[tuple[str, str], list[_Held]] = field(default_factory=lambda: defaultdict(list))

    def note(self, position: _Held, trade_id: str, step: Step) -> None:
        """Count what was done with a position."""
        position.version += 1
        if self.takes_back:
            position.take(trade_id, step[0], step[2])


def replay_positions(record: Record) -> Iterator[Difference]:
    """Yield where a trade or a position is not what fills and pairings make it."""
    book = _Book({account.id: account for account in record.accounts}, bool(record.reversals))
    orders = {order.id: order for order in record.orders}
    fills = {fill.id: fill for fill in record.fills}
    pairings = {pairing.id: pairing for pairing in record.close_bys}
    positions = {position.id: position for position in record.positions}
    taken_back = {reversal.reversing_id: reversal.trade_id for reversal in record.reversals}
    for trades in causes_in_order(record.trades):
        cause = trades[0].cause
        if trades[0].effect == "reverse":
            yield from _take_back(book, trades[0], taken_back.pop(cause, ""))
        elif cause in fills and fills[cause].order_id in orders:
            fill = fills.pop(cause)
            order = orders[fill.order_id]
            place = (order.account_id, order.symbol)
            yield from _book(book, place, _steps_of_fill(book, order, fill), trades)
        elif cause in pairings and pairings[cause].position_id in positions:
            pairing = pairings.pop(cause)
            place = (pairing.account_id, positions[pairing.position_id].symbol)
            yield from _book(book, place, list(_steps_of_pairing(book, pairing)), trades)
        else:
            yield Difference("trade", trades[0].id, "cause", cause, "no fill or pairing of now")
    for cause in (*fills, *pairings, *taken_back):
        yield Difference("fill or pairing", cause, "trades", None, "at least one")
    yield from _compare(book, positions)


def causes_in_order(trades: Sequence[Trade]) -> Iterator[list[Trade]]:
    """Yield the trades of each fill or pairing together, in the order in which those were booked.

    Ids are ordered by time; where two engines made theirs in one millisecond, the versions of the
    positions say which came first.
    """
    by_cause: dict[str, list[Trade]] = defaultdict(list)
    chains: dict[str, list[Trade]] = defaultdict(list)
    for trade in sorted(trades, key=lambda one: one.id):
        by_cause[trade.cause].append(trade)
        chains[trade.position_id].append(trade)
    follows: dict[str, set[str]] = defaultdict(set)
    waits: dict[str, int] = dict.fromkeys(by_cause, 0)
    for chain in chains.values():
        ordered = sorted(chain, key=lambda one: one.position_version)
        for before, after in pairwise(ordered):
            if before.cause != after.cause and after.cause not in follows[before.cause]:
                follows[before.cause].add(after.cause)
                waits[after.cause] += 1
    ready = [(by_cause[cause][0].id, cause) for cause, count in waits.items() if not count]
    heapq.heapify(ready)
    while ready:
        _, cause = heapq.heappop(ready)
        yield by_cause[cause]
        for later in follows[cause]:
            waits[later] -= 1
            if not waits[later]:
                heapq.heappush(ready, (by_cause[later][0].id, later))


def _steps_of_fill(book: _Book, order: Order, fill: Fill) -> list[Step]:
    """Return what a fill must do: close what it may close, and open with the rest."""
    rest = fill.quantity if order.side == "buy" else -fill.quantity
    steps: list[Step] = []
    mode = book.accounts[order.account_id].position_mode
    held = book.open[order.account_id, order.symbol]
    for position in _closable(mode, order, held):
        if rest and position.quantity * rest < 0:
            part = min(abs(rest), abs(position.quantity)) * (1 if rest > 0 else -1)
            steps.append(("close", position.id, part, fill.price))
            rest -= part
    if rest:
        joins = mode == "netting" and bool(held) and held[0].quantity * rest > 0
        steps.append(("open", held[0].id if joins else None, rest, fill.price))
    return steps


def _closable(mode: str, order: Order, held: Sequence[_Held]) -> Sequence[_Held]:
    if mode == "netting":
        return held
    if order.position_id is not None:
        return [position for position in held if position.id == order.position_id]
    return held if mode == "fifo" or order.is_reduce_only else ()


def _steps_of_pairing(book: _Book, pairing: CloseBy) -> Iterator[Step]:
    one, other = (book.held.get(key) for key in (pairing.position_id, pairing.by_position_id))
    if one is None or other is None:
        return
    quantity = min(abs(one.quantity), abs(other.quantity))
    signed = quantity if one.quantity < 0 else -quantity
    price = other.average_price
    yield "close", one.id, signed, price
    yield "close", other.id, -signed, price


def _book(
    book: _Book, place: tuple[str, str], steps: Sequence[Step], trades: Sequence[Trade]
) -> Iterator[Difference]:
    """Do the steps of one cause, and hold its trades against them."""
    if len(steps) != len(trades):
        cause = trades[0].cause
        yield Difference("fill or pairing", cause, "number of trades", len(trades), len(steps))
    for step, trade in zip(steps, trades, strict=False):
        effect, position_id, quantity, price = step
        if position_id is None:
            position = _Held(trade.position_id)
            is_known = book.held.setdefault(position.id, position) is not position
            if is_known:
                known = trade.position_id
                yield Difference("trade", trade.id, "position_id", known, "a new position")
            book.open[place].append(position)
        else:
            position = book.held[position_id]
        account = book.accounts[place[0]]
        pnl = _close(position, trade, quantity, price, account) if effect == "close" else _NOTHING
        if effect == "open":
            _open(position, quantity, price)
        book.note(position, trade.id, step)
        book.open[place] = [one for one in book.open[place] if one.quantity]
        yield from _compare_trade(trade, step, position, pnl)


def _take_back(book: _Book, trade: Trade, taken_id: str) -> Iterator[Difference]:
    """Take a part of what a trade has opened out of its position, at its price."""
    position = book.held.get(trade.position_id)
    left = None if position is None else position.opened.get(taken_id)
    if position is None or left is None or trade.quantity * position.quantity >= 0:
        yield Difference("trade", trade.id, "reverses", taken_id, "a trade that is open")
        return
    if Fraction(abs(trade.quantity)) > left:
        yield Difference("trade", trade.id, "quantity", trade.quantity, f"at most {left}")
    position.opened[taken_id] = left - Fraction(abs(trade.quantity))
    if position.quantity + trade.quantity:
        _open(position, trade.quantity, trade.price)
    else:
        position.quantity = _NOTHING
    position.version += 1
    for place, held in book.open.items():
        book.open[place] = [one for one in held if one.quantity]
    step = ("reverse", position.id, trade.quantity, trade.price)
    yield from _compare_trade(trade, step, position, _NOTHING)


def _close(
    position: _Held, trade: Trade, quantity: Decimal, price: Decimal, account: Account
) -> Decimal:
    difference = _PRECISE.subtract(position.average_price, price)
    result = _PRECISE.multiply(_PRECISE.multiply(difference, quantity), trade.conversion_rate)
    unit = Decimal(1).scaleb(-account.minor_units)
    pnl = result.quantize(unit, rounding=ROUND_HALF_EVEN, context=_PRECISE)
    position.quantity += quantity
    position.realised_pnl += pnl
    return pnl


def _open(position: _Held, quantity: Decimal, price: Decimal) -> None:
    before = _PRECISE.multiply(position.quantity, position.average_price)
    value = _PRECISE.add(before, _PRECISE.multiply(quantity, price))
    position.quantity += quantity
    exact = _PRECISE.divide(value, position.quantity)
    position.average_price = exact.quantize(_PRICE, rounding=ROUND_HALF_EVEN, context=_PRECISE)


def _compare_trade(trade: Trade, step: Step, position: _Held, pnl: Decimal) -> Iterator[Difference]:
    yield from Standing(
        "trade",
        trade.id,
        {
            "position_id": (trade.position_id, position.id),
            "position_version": (trade.position_version, position.version),
            "effect": (trade.effect, step[0]),
            "quantity": (trade.quantity, step[2]),
            "price": (trade.price, step[3]),
            "realised_pnl": (trade.realised_pnl, pnl),
            "position_quantity": (trade.position_quantity, position.quantity),
            "position_average_price": (trade.position_average_price, position.average_price),
            "position_realised_pnl": (trade.position_realised_pnl, position.realised_pnl),
        },
    ).differences()


def _compare(book: _Book, positions: Mapping[str, Position]) -> Iterator[Difference]:
    for position in positions.values():
        held = book.held.pop(position.id, None)
        if held is None:
            yield Difference("position", position.id, "row", position.quantity, None)
            continue
        yield from Standing(
            "position",
            position.id,
            {
                "quantity": (position.quantity, held.quantity),
                "average_price": (position.average_price, held.average_price),
                "realised_pnl": (position.realised_pnl, held.realised_pnl),
                "is_open": (position.is_open, bool(held.quantity)),
                "version": (position.version, held.version),
            },
        ).differences()
    for held in book.held.values():
        yield Difference("position", held.id, "row", None, held.quantity)
