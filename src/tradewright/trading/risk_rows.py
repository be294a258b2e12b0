"""How a batch writes what risk has decided: breaches, alerts, margin calls and stop-outs.

Breaches refer to their orders, so `rows` writes those first.
"""

from collections.abc import Sequence

from tradewright.postgres.arrays import columns
from tradewright.postgres.pipeline import Statements
from tradewright.postgres.queries import load_queries
from tradewright.trading.state import Changes, Row

_BREACH = ("limit_id", "order_id", "limit_value", "measured")
_ALERT = ("severities", "kinds", "abouts", "whats")
_MARGIN_CALL = ("id", "account_id", "margin_level", "equity", "used_margin", "market_at")
_RESOLVED = ("id", "market_at")
_STOP_OUT = (
    "id",
    "account_id",
    "margin_level",
    "equity",
    "used_margin",
    "orders_canceled",
    "positions_closed",
    "forgiven",
    "market_at",
    "margin_call_id",
)


def write_risk(statements: Statements, changes: Changes) -> None:
    """Write what limits, margin and stop-outs have left, each table in one statement."""
    _write(statements, "write_breaches", _BREACH, changes.breaches)
    _write(statements, "write_alerts", _ALERT, changes.alerts)
    priced = [(about,) for about in changes.priced_again]
    _write(statements, "resolve_unpriced", ("abouts",), priced)
    freed = [(account_id,) for account_id in changes.not_stuck]
    _write(statements, "resolve_stuck", ("abouts",), freed)
    _write(statements, "write_margin_calls", _MARGIN_CALL, changes.margin_calls)
    _write(statements, "resolve_margin_calls", _RESOLVED, changes.resolved_calls)
    _write(statements, "write_stop_outs", _STOP_OUT, changes.stop_outs)


def _write(statements: Statements, query: str, names: Sequence[str], rows: Sequence[Row]) -> None:
    if rows:
        statements.execute(load_queries("tradewright.trading")[query], columns(names, rows))
