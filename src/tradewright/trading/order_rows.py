"""An order as a row, both ways: its columns, what is written of it, and how a row is laid out.

`rows` writes them with their events, `store` says which are read under lock.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tradewright.core.errors import ErrorCode
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.model import Side
from tradewright.postgres.pipeline import Statements
from tradewright.postgres.queries import load_queries
from tradewright.routing.model import Book
from tradewright.trading.figures import figures_from
from tradewright.trading.model import OrderStatus, OrderType, Origin, RefusedBy, TimeInForce
from tradewright.trading.state import Desk, OrderState, Row

EVENT = (
    "event_order_ids",
    "event_seqs",
    "event_types",
    "event_from_statuses",
    "event_to_statuses",
    "event_quantities",
    "event_prices",
    "event_actors",
    "event_details",
)
ORDER = (
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
    "expires_at",
    "trailing_distance",
    "trailing_terms",
    "triggered_at",
    "is_reduce_only",
    "is_post_only",
    "oco_group",
    "engine_id",
)
OLD_ORDER = (
    "ids",
    "filled",
    "remaining",
    "prices",
    "statuses",
    "routed",
    "refused_by",
    "codes",
    "versions",
    "stop_prices",
    "triggered",
    "quantities",
    "limit_prices",
    "engine_ids",
)
REPLACEMENT = (
    "account_id",
    "key",
    "order_id",
    "order_version",
    "first_key",
    "replaced_key",
    "quantity",
    "limit_price",
    "stop_price",
)


def order_row(order: OrderState) -> Row:
    """Return a new order in the order of `ORDER`."""
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
        order.expires_at,
        order.trailing_distance,
        order.trailing_terms,
        order.triggered_at,
        order.is_reduce_only,
        order.is_post_only,
        order.oco_group,
        order.engine_id,
    )


def old_order_row(order: OrderState) -> Row:
    """Return what may have changed of an order, in the order of `OLD_ORDER`."""
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
        order.stop_price,
        order.triggered_at,
        order.quantity,
        order.limit_price,
        order.engine_id,
    )


def order_from_row(row: tuple[Any, ...], instrument: Instrument) -> OrderState:
    """Lay out one row of the queries that read orders."""
    return OrderState(
        id=row[0],
        account_id=row[1],
        client_order_id=row[2],
        instrument=instrument,
        side=Side(row[4]),
        order_type=OrderType(row[5]),
        time_in_force=TimeInForce(row[6]),
        origin=Origin(row[7]),
        book=Book(row[8]),
        quantity=row[9],
        filled_quantity=row[10],
        remaining_quantity=row[11],
        average_price=row[12],
        limit_price=row[13],
        stop_price=row[14],
        stop_loss=row[15],
        take_profit=row[16],
        status=OrderStatus(row[17]),
        is_routed=row[18],
        refused_by=None if row[19] is None else RefusedBy(row[19]),
        refusal_code=None if row[20] is None else ErrorCode(row[20]),
        version=row[21],
        version_read=row[21],
        fill_value=row[22],
        expires_at=row[23],
        position_id=row[24],
        trailing_distance=row[25],
        trailing_terms=row[26],
        triggered_at=row[27],
        is_reduce_only=row[28],
        is_post_only=row[29],
        oco_group=row[30],
        engine_id=row[31],
    )


def orders_by_key(
    orders: Mapping[str, OrderState], named: Iterable[tuple[Any, ...]]
) -> dict[tuple[str, str], OrderState]:
    """Return orders by the key under which they were submitted, and by the one that was asked."""
    by_key = {(one.account_id, one.client_order_id): one for one in orders.values()}
    for row in named:
        order = orders[row[0]]
        order.is_replaced = row[32]
        by_key[order.account_id, row[33]] = order
        order.first_figures = figures_from(row[34])
        order.closes_whole = row[35]
    return by_key


def read_orders(statements: Statements, desk: Desk, query: str, account_ids: Sequence[str]) -> None:
    """Put the live orders of accounts that a query reads onto a desk, where they are not yet."""
    if not account_ids:
        return
    rows = statements.execute(load_queries("tradewright.trading")[query], {"ids": account_ids})
    lay_out_live_orders(desk, rows.fetchall())


def lay_out_live_orders(desk: Desk, rows: Iterable[tuple[Any, ...]]) -> None:
    """Put live orders onto a desk that does not have them yet."""
    for row in rows:
        if row[0] not in desk.orders:
            order = order_from_row(row, desk.instruments[row[3]])
            desk.orders[order.id] = desk.accounts[order.account_id].live_orders[order.id] = order
