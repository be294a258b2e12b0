"""How a stop-out goes on where providers reject it: later each time, others first, and told.

Domain rule 1.5: escalate, never loop. In one round every provider is asked in turn; when all have
rejected, the next round of that symbol waits a second, then two, and so on up to a minute of the
market's time, while other positions of the account are closed. Whoever was not reached because
others took too long is asked first then. After three rounds people are told. What has been
rejected stands in the database, so a restart or another engine does not begin anew; after ten
minutes without a round it is forgotten. `liquidation` asks.
"""

from collections.abc import Sequence
from datetime import timedelta

from tradewright.postgres.pipeline import Columns, Statements
from tradewright.postgres.queries import load_queries
from tradewright.routing.model import Book
from tradewright.trading.model import CheckMargin, Command, OrderStatus, Origin
from tradewright.trading.state import AccountState, Desk, OrderState, Rejections

FIRST_PAUSE = timedelta(seconds=1)
PAUSE_MAX = timedelta(minutes=1)

TOLD_AT = 3
"""Rounds in a row that are rejected until people are told: the third is after three seconds."""

COUNTED_FOR = timedelta(minutes=10)


def read_rejections(statements: Statements, desk: Desk, commands: Sequence[Command]) -> None:
    """Put onto the desk what was rejected of the stop-outs of accounts that are to be checked.

    Only for accounts whose orders are passed on.
    """
    checked = {command.account_id for command in commands if isinstance(command, CheckMargin)}
    ids = [one.id for one in desk.accounts.values() if one.id in checked and one.book is not Book.B]
    if not ids:
        return
    query = load_queries("tradewright.trading")["stop_outs_rejected"]
    asked: Columns = {"ids": ids, "since": [desk.market.now - COUNTED_FOR]}
    for row in statements.execute(query, asked).fetchall():
        desk.rejections[row[0], row[1]] = Rejections(row[2], row[3], frozenset(row[4]))


def pause_after(count: int) -> timedelta:
    """Return how long to wait after so many rounds in a row."""
    doublings = min(count - 1, 10)
    return min(FIRST_PAUSE * (1 << doublings), PAUSE_MAX)


def is_put_off(desk: Desk, account: AccountState, symbol: str) -> bool:
    """Return whether a symbol of an account waits for its next round."""
    found = _found(desk, account, symbol)
    return found is not None and desk.market.now < found.last_at + pause_after(found.count)


def told(desk: Desk, account: AccountState) -> str | None:
    """Return what people are told of rounds in a row that providers have rejected."""
    for symbol in sorted(account.positions):
        found = _found(desk, account, symbol)
        if found is not None and found.count >= TOLD_AT:
            return f"providers have rejected its stop-out of {symbol} {found.count} times in a row"
    return None


def rejected_by(desk: Desk, order: OrderState) -> frozenset[str]:
    """Return the providers that are asked last, as they have rejected the rounds before."""
    if order.origin is not Origin.STOP_OUT:
        return frozenset()
    found = desk.rejections.get((order.account_id, order.instrument.symbol))
    return frozenset() if found is None else found.providers


def _found(desk: Desk, account: AccountState, symbol: str) -> Rejections | None:
    """Return the rejected rounds of a symbol, with one that this batch has just booked."""
    found = desk.rejections.get((account.id, symbol))
    ended = [
        order
        for order in desk.changes.orders.values()
        if order.origin is Origin.STOP_OUT
        and order.status is OrderStatus.REJECTED
        and (order.account_id, order.instrument.symbol) == (account.id, symbol)
    ]
    if not ended:
        return found
    before = Rejections() if found is None else found
    return Rejections(before.count + len(ended), desk.market.now, before.providers)
