"""What some limits ask about the past of an account, read for a batch only when a limit asks.

Four set-based queries at the most, under the accounts' locks: so nothing can be added to what they
have read until the batch has ended, but by the batch itself, which counts its own orders here.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from statistics import median
from typing import Any

from msgspec import Struct

from tradewright.core.clock import utc_now
from tradewright.postgres.pipeline import Rows, Statements
from tradewright.postgres.queries import load_queries
from tradewright.risk.limits import LimitKind
from tradewright.trading.model import Command, ReplaceOrder, SubmitOrder, TriggerOrder
from tradewright.trading.order_rows import lay_out_live_orders
from tradewright.trading.state import Desk, History

SIZES_MIN = 10
"""Fewer orders than these do not say what is usual."""

_RESULTS = frozenset({LimitKind.DAILY_LOSS, LimitKind.DRAWDOWN})

Opening = SubmitOrder | ReplaceOrder | TriggerOrder


class _Asked(Struct):
    """Which accounts, and which symbols of them, need which part of their past."""

    rates: dict[str, None] = {}
    sizes: dict[tuple[str, str], None] = {}
    results: dict[str, None] = {}
    orders: dict[str, None] = {}


def read_histories(statements: Statements, desk: Desk, commands: Sequence[Command]) -> None:
    """Read onto the desk what the limits of its orders ask about the past."""
    asked = _asked(desk, [c for c in commands if isinstance(c, Opening)])
    queries = load_queries("tradewright.trading")
    sent: dict[str, Rows] = {}
    for name, accounts in (
        ("orders_of_last_second", asked.rates),
        ("results_of_accounts", asked.results),
        ("live_orders", asked.orders),
    ):
        if accounts:
            columns: dict[str, list[object]] = {"ids": [*accounts]}
            if accounts is asked.rates:
                columns["now"] = [utc_now()]
            sent[name] = statements.execute(queries[name], columns)
    if asked.sizes:
        pairs = list(asked.sizes)
        sent["last_quantities"] = statements.execute(
            queries["last_quantities"],
            {"account_ids": [a for a, _ in pairs], "symbols": [s for _, s in pairs]},
        )
    rows = {name: answer.fetchall() for name, answer in sent.items()}
    _lay_out(desk, rows)


def count_message(desk: Desk, account_id: str) -> None:
    """Count an order, or a replacement of one, that this batch has taken in."""
    desk.histories.setdefault(account_id, History()).messages += 1


def usual_quantity(history: History, symbol: str) -> Decimal | None:
    """Return the median of the last quantities, or None while there are too few of them."""
    quantities = history.quantities.get(symbol, [])
    return median(quantities) if len(quantities) >= SIZES_MIN else None


def _asked(desk: Desk, commands: Iterable[Opening]) -> _Asked:
    asked = _Asked()
    for command in commands:
        account = desk.accounts.get(command.account_id)
        symbol = _symbol(desk, command)
        if account is None or symbol is None:
            continue
        limits = desk.reference.limits.of(account.id, account.group.code, symbol)
        if LimitKind.MESSAGE_RATE in limits:
            asked.rates[account.id] = None
        if LimitKind.ORDER_SIZE in limits:
            asked.sizes[account.id, symbol] = None
        if not _RESULTS.isdisjoint(limits):
            asked.results[account.id] = None
        if LimitKind.OPEN_ORDERS in limits:
            asked.orders[account.id] = None
    return asked


def _symbol(desk: Desk, command: Opening) -> str | None:
    if isinstance(command, SubmitOrder):
        return command.symbol
    if isinstance(command, ReplaceOrder):
        order = desk.orders_by_key.get((command.account_id, command.client_order_id))
    else:
        order = desk.orders.get(command.order_id)
    return None if order is None else order.instrument.symbol


def _lay_out(desk: Desk, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    histories = desk.histories
    for account_id, count in rows.get("orders_of_last_second", ()):
        histories.setdefault(account_id, History()).messages = count
    for account_id, symbol, quantity in rows.get("last_quantities", ()):
        history = histories.setdefault(account_id, History())
        history.quantities.setdefault(symbol, []).append(quantity)
    for account_id, since_session, fallen in rows.get("results_of_accounts", ()):
        history = histories.setdefault(account_id, History())
        history.since_session, history.fallen = since_session, fallen
    lay_out_live_orders(desk, rows.get("live_orders", ()))
