"""How a decided batch is written: every table's rows as arrays, each table in one statement.

Children go before the rows that they explain, because the guards of the database demand the
record before the state. `store` reads what is written here.
"""

import json
from collections.abc import Sequence

from tradewright.core.clock import utc_now
from tradewright.core.ids import new_id_text
from tradewright.liquidity.model import ProviderAnswer, ProviderRequest
from tradewright.postgres.arrays import columns
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.trading.state import Desk, OrderState, PositionState, Row

_QUERIES = "tradewright.trading"


def write_desk(connection: Session, desk: Desk) -> None:
    """Write everything that the batch decided, children before the rows that they explain."""
    changes = desk.changes
    new_orders = [order for order in changes.orders.values() if not order.version_read]
    old_orders = [order for order in changes.orders.values() if order.version_read]
    new_positions = [p for p in changes.positions.values() if not p.version_read]
    old_positions = [p for p in changes.positions.values() if p.version_read]
    _write(connection, "write_events", _EVENT, changes.events)
    _write(connection, "write_orders", _ORDER, [_order_row(order) for order in new_orders])
    _write(connection, "update_orders", _OLD_ORDER, [_old_order_row(o) for o in old_orders])
    _write(connection, "write_fills", _FILL, changes.fills)
    _write(connection, "write_trades", _TRADE, changes.trades)
    # A flip closes one position and opens another: the old one must make room first.
    _write(
        connection, "update_positions", _OLD_POSITION, [_old_position_row(p) for p in old_positions]
    )
    _write(connection, "write_positions", _POSITION, [_position_row(p) for p in new_positions])
    answers = [_request_row(desk, *answer) for answer in changes.answers]
    _write(connection, "write_provider_requests", _REQUEST, answers)
    _write(connection, "write_margin_calls", _MARGIN_CALL, changes.margin_calls)
    resolved = [(call_id,) for call_id in changes.resolved_calls]
    _write(connection, "resolve_margin_calls", ("ids",), resolved)
    _write(connection, "write_stop_outs", _STOP_OUT, changes.stop_outs)
    desk.journal.write(connection)


def _write(
    connection: Session, query: str, names: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    if rows:
        arrays = columns(names, rows, texts=_FREE_TEXTS)
        connection.execute(load_queries(_QUERIES)[query], arrays)


_FREE_TEXTS = ("details", "metadata")
_EVENT = (
    "order_id",
    "seq",
    "event_type",
    "from_status",
    "to_status",
    "quantity",
    "price",
    "actor",
    "details",
)
_ORDER = (
    "id",
    "account_id",
    "client_order_id",
    "symbol",
    "side",
    "order_type",
    "time_in_force",
    "origin",
    "book",
    "quantity",
    "filled_quantity",
    "remaining_quantity",
    "average_price",
    "limit_price",
    "stop_price",
    "stop_loss",
    "take_profit",
    "status",
    "is_routed",
    "refused_by",
    "refusal_code",
    "metadata",
    "version",
)
_OLD_ORDER = (
    "ids",
    "filled",
    "remaining",
    "prices",
    "statuses",
    "routed",
    "refused_by",
    "codes",
    "versions",
)
_FILL = (
    "id",
    "order_id",
    "quantity",
    "price",
    "provider_id",
    "provider_execution_id",
    "quoted_at",
)
_TRADE = (
    "id",
    "account_id",
    "fill_id",
    "position_id",
    "position_version",
    "effect",
    "quantity",
    "price",
    "conversion_rate",
    "realised_pnl",
    "commission",
    "position_quantity",
    "position_average_price",
    "position_realised_pnl",
)
_POSITION = (
    "id",
    "account_id",
    "symbol",
    "quantity",
    "average_price",
    "realised_pnl",
    "stop_loss",
    "take_profit",
    "is_open",
    "version",
    "closed_at",
)
_OLD_POSITION = (
    "ids",
    "quantities",
    "prices",
    "pnls",
    "stop_losses",
    "take_profits",
    "versions",
)
_REQUEST = (
    "id",
    "order_id",
    "provider_id",
    "quantity",
    "price",
    "is_accepted",
    "reason",
    "hold_ms",
    "requested_at",
    "decided_at",
)
_MARGIN_CALL = ("id", "account_id", "margin_level", "equity", "used_margin")
_STOP_OUT = (
    "id",
    "account_id",
    "margin_level",
    "equity",
    "used_margin",
    "orders_canceled",
    "positions_closed",
    "forgiven",
)


def _order_row(order: OrderState) -> Row:
    return (
        order.id,
        order.account_id,
        order.client_order_id,
        order.instrument.symbol,
        order.side,
        order.order_type,
        order.time_in_force,
        order.origin,
        order.book,
        order.quantity,
        order.filled_quantity,
        order.remaining_quantity,
        order.average_price,
        order.limit_price,
        order.stop_price,
        order.stop_loss,
        order.take_profit,
        order.status,
        order.is_routed,
        order.refused_by,
        order.refusal_code,
        None if order.metadata is None else json.dumps(order.metadata),
        order.version,
    )


def _old_order_row(order: OrderState) -> Row:
    return (
        order.id,
        order.filled_quantity,
        order.remaining_quantity,
        order.average_price,
        order.status,
        order.is_routed,
        order.refused_by,
        order.refusal_code,
        order.version,
    )


def _position_row(position: PositionState) -> Row:
    return (
        position.id,
        position.account_id,
        position.instrument.symbol,
        position.quantity,
        position.average_price,
        position.realised_pnl,
        position.stop_loss,
        position.take_profit,
        position.quantity != 0,
        position.version,
        None if position.quantity else utc_now(),
    )


def _old_position_row(position: PositionState) -> Row:
    return (
        position.id,
        position.quantity,
        position.average_price,
        position.realised_pnl,
        position.stop_loss,
        position.take_profit,
        position.version,
    )


def _request_row(
    desk: Desk, order_id: str, request: ProviderRequest, answer: ProviderAnswer
) -> Row:
    return (
        new_id_text(),
        order_id,
        desk.providers[answer.provider],
        request.quantity,
        request.limit_price,
        answer.accepted,
        answer.reason,
        answer.hold_ms,
        request.requested_at,
        answer.decided_at,
    )
