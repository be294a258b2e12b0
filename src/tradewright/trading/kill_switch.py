"""The kill switch: trading is halted, then every order that rests under the halt is canceled.

Any process may pull it, with or without an engine: once the halt is committed, nothing is opened
any more; then the orders are found in the database and canceled in the usual batches under their
accounts' locks. An engine that still watches them finds them ended.
"""

import threading
from dataclasses import dataclass

from tradewright.core.errors import TradewrightError
from tradewright.liquidity.board import QuoteBoard
from tradewright.liquidity.market import Market
from tradewright.postgres.connect import Session
from tradewright.postgres.pipeline import Pipeline
from tradewright.postgres.queries import load_queries
from tradewright.risk.halts import HaltMode
from tradewright.risk.limits import Target
from tradewright.risk.store import read_halts, set_halt
from tradewright.trading.batch import Trading, book_batch
from tradewright.trading.model import HaltOrders, MarginReport
from tradewright.trading.reference import read_reference

ACCOUNTS_MAX = 200
"""In one batch, so that trading elsewhere waits for none of them long."""


@dataclass(frozen=True, slots=True)
class Killed:
    """How many orders of how many accounts were canceled, or asked back from providers."""

    accounts: int
    orders: int


def halt(session: Session, target: Target, *, actor: str, reason: str) -> Killed:
    """Halt trading, or, where it is halted for the same already, cancel what was left.

    A reduce-only for the same gives way to the halt.
    The session is in no transaction, and in none afterwards.

    Raises:
        InputError, StateError, TradewrightError: what `pull_kill_switch` raises.

    """
    with session.transaction():
        is_killed = any(
            one.target == target and one.mode is HaltMode.HALTED for one in read_halts(session)
        )
    if is_killed:
        return cancel_halted(session)
    return pull_kill_switch(session, target, actor=actor, reason=reason)


def pull_kill_switch(session: Session, target: Target, *, actor: str, reason: str) -> Killed:
    """Halt trading and cancel what rests; the session is in no transaction.

    May be called again when it was interrupted: `cancel_halted` does the rest.

    Raises:
        InputError, StateError: what `set_halt` raises.
        TradewrightError: a batch could not be booked; the halt stands.

    """
    set_halt(session, HaltMode.HALTED, target, actor=actor, reason=reason)
    return cancel_halted(session)


def cancel_halted(session: Session) -> Killed:
    """Cancel every order that rests under a kill; again is harmless."""
    with session.transaction():
        reference = read_reference(session)
        rows = session.execute(load_queries("tradewright.trading")["accounts_halted"]).fetchall()
    trading = Trading(reference, Market(QuoteBoard()), threading.Lock())
    pipeline, count = Pipeline(session), 0
    for start in range(0, len(rows), ACCOUNTS_MAX):
        commands = [HaltOrders(account_id=row[0]) for row in rows[start : start + ACCOUNTS_MAX]]
        for answer in book_batch(pipeline, trading, commands).answers:
            if isinstance(answer, TradewrightError):
                raise answer
            if isinstance(answer, MarginReport):
                count += answer.orders_canceled
    return Killed(len(rows), count)
