"""What an account had at an instant, rebuilt from what had happened to it by then.

Its balance is the sum of its entries; its positions are what its trades make of nothing. What the
record says of each step is kept beside it, so that both can be compared: a difference is a defect.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from tradewright.compliance import store
from tradewright.compliance.model import Row
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

_QUANTUM = Decimal("0.00000001")
_SIGNS = {"credit": 1, "release": 1, "debit": -1, "reserve": -1, "capture": 0}


@dataclass(frozen=True, slots=True)
class Held:
    """A position: what is held at which average price."""

    position_id: str
    symbol: str
    quantity: Decimal
    average_price: Decimal


@dataclass(frozen=True, slots=True)
class State:
    """What an account had, and whether the record says the same."""

    balance: Decimal
    positions: tuple[Held, ...]
    agrees: bool


def rebuild(session: Session, account_id: str, at: datetime) -> State:
    """Rebuild an account as it was just before an instant."""
    queries = load_queries("tradewright.compliance.reports")
    asked = {"account_id": account_id, "at": at}
    balance, kept = balance_of(store.stream(session, queries["entries_until"], asked))
    held, recorded = positions_of(store.stream(session, queries["trades_until"], asked))
    return State(balance, held, balance == kept and held == recorded)


def balance_of(entries: Iterable[Row]) -> tuple[Decimal, Decimal]:
    """Return the sum of entries (effect, amount, balance left), and what the last has left."""
    total = kept = Decimal(0)
    for effect, amount, after in entries:
        total, kept = total + _SIGNS[effect] * amount, after
    return total, kept


def positions_of(trades: Iterable[Row]) -> tuple[tuple[Held, ...], tuple[Held, ...]]:
    """Return the open positions that trades lead to, and those that their last rows tell.

    A trade is a position's id and symbol, effect, signed quantity, price, and what it left.
    """
    held: dict[str, Held] = {}
    recorded: dict[str, Held] = {}
    for position_id, symbol, effect, quantity, price, *left in trades:
        before = held.get(position_id, Held(position_id, symbol, Decimal(0), price))
        held[position_id] = after_trade(before, effect, quantity, price)
        recorded[position_id] = Held(position_id, symbol, *left)
    return _open(held.values()), _open(recorded.values())


def after_trade(before: Held, effect: str, quantity: Decimal, price: Decimal) -> Held:
    """Return a position after a trade: closing keeps the average, all else is weighted in.

    The average is (Q0 * P0 + q * p) / (Q0 + q); to reverse is to weigh the fill's part out again.
    """
    total = before.quantity + quantity
    average = before.average_price
    if effect != "close" and total:
        value = before.quantity * before.average_price + quantity * price
        average = (value / total).quantize(_QUANTUM, rounding=ROUND_HALF_EVEN)
    return Held(before.position_id, before.symbol, total, average)


def _open(positions: Iterable[Held]) -> tuple[Held, ...]:
    return tuple(
        sorted((one for one in positions if one.quantity), key=lambda one: one.position_id)
    )
