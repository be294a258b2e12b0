"""The rows of a batch: read under lock, in one order for every writer, and written as one set.

Lock order: wallets by holder id, accounts by id, positions by id. Whoever holds an account's lock
owns its orders too, so orders are read without locks of their own. Lookups that must see what was
committed while a lock was waited for come after it, as statements of their own.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from tradewright.core.clock import utc_now
from tradewright.core.errors import ErrorCode
from tradewright.core.ids import new_id_text
from tradewright.ledger.model import Holder, HolderKind
from tradewright.ledger.store import lock_wallets, wallet_ids
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.market import Market
from tradewright.liquidity.model import ProviderAnswer, ProviderRequest, Side
from tradewright.postgres.arrays import array, columns, text_array
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.risk.model import ClientClass, RiskProfile
from tradewright.routing.rules import Book
from tradewright.trading.model import (
    BookAnswers,
    CancelOrder,
    CheckMargin,
    ClosePosition,
    Command,
    MoveMoney,
    OrderStatus,
    OrderType,
    Origin,
    RefusedBy,
    SubmitOrder,
    TimeInForce,
    TriggerOrder,
)
from tradewright.trading.reference import Reference
from tradewright.trading.state import (
    AccountState,
    Desk,
    OrderState,
    PositionState,
    Row,
)

_QUERIES = "tradewright.trading"


def lock_desk(
    connection: Session, reference: Reference, market: Market, commands: Sequence[Command]
) -> Desk:
    """Lock and read all that the commands may touch, and lay it out as a desk.

    On a session in pipeline mode the queries go to the server together, in this order.
    """
    account_ids = sorted({command.account_id for command in commands})
    wallets = _lock_wallets(connection, commands)
    asked = _ask(connection, account_ids, commands)
    accounts = {row[0]: _account(row) for row in asked["lock_accounts"]}
    _lay_out_positions(asked["lock_positions"], reference, accounts)
    orders: dict[str, OrderState] = {}
    for query in ("orders_named", "live_orders", "orders_by_key"):
        for row in asked.get(query, ()):
            if row[0] not in orders:
                orders[row[0]] = order_from_row(row, reference.instruments[row[3]])
    for order in orders.values():
        if order.status.is_live:
            accounts[order.account_id].live_orders[order.id] = order
    return Desk(
        market=market,
        instruments=reference.instruments,
        providers=reference.provider_ids,
        house=reference.house,
        accounts=accounts,
        orders=orders,
        orders_by_key={(o.account_id, o.client_order_id): o for o in orders.values()},
        wallets=wallets,
        entries_before={
            (row[0], row[1]): (row[2], row[3]) for row in asked.get("entries_of_transactions", ())
        },
    )


def _ask(
    connection: Session, account_ids: list[str], commands: Sequence[Command]
) -> dict[str, list[tuple[Any, ...]]]:
    """Send every query that these commands need, then read all the answers."""
    named = [c.order_id for c in commands if isinstance(c, TriggerOrder | BookAnswers)]
    watched = {c.account_id for c in commands if isinstance(c, CheckMargin | ClosePosition)}
    keyed = [c for c in commands if isinstance(c, SubmitOrder | CancelOrder)]
    moved = [c.transaction_id for c in commands if isinstance(c, MoveMoney)]
    queries = {
        "lock_accounts": {"ids": array(account_ids)},
        "lock_positions": {"ids": array(account_ids)},
        "orders_named": {"ids": array(named)},
        "live_orders": {"ids": array(sorted(watched))},
        "orders_by_key": {
            "account_ids": array(c.account_id for c in keyed),
            "keys": text_array(c.client_order_id for c in keyed),
        },
        "entries_of_transactions": {
            "transaction_ids": array(moved),
            "operations": array("transfer_out" for _ in moved),
        },
    }
    ours, ledgers = load_queries(_QUERIES), load_queries("tradewright.ledger")
    cursors = {
        name: connection.execute(ours.get(name) or ledgers[name], arrays)
        for name, arrays in queries.items()
        if "{}" not in arrays.values()
    }
    return {name: cursor.fetchall() for name, cursor in cursors.items()}


def read_live_desk(connection: Session, reference: Reference, market: Market) -> Desk:
    """Read every account with something open, its positions and its live orders."""
    rows = connection.execute(load_queries(_QUERIES)["accounts_at_risk"]).fetchall()
    ids = [row[0] for row in rows]
    queries = load_queries(_QUERIES)
    arrays = {"ids": array(ids)}
    accounts = {
        row[0]: _account(row) for row in connection.execute(queries["lock_accounts"], arrays)
    }
    positions = connection.execute(queries["lock_positions"], arrays).fetchall()
    _lay_out_positions(positions, reference, accounts)
    orders = {
        row[0]: order_from_row(row, reference.instruments[row[3]])
        for row in connection.execute(queries["live_orders"], arrays)
    }
    for order in orders.values():
        accounts[order.account_id].live_orders[order.id] = order
    return Desk(
        market=market,
        instruments=reference.instruments,
        providers=reference.provider_ids,
        house=reference.house,
        accounts=accounts,
        orders=orders,
        orders_by_key={},
        wallets={},
        entries_before={},
    )


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


def _lock_wallets(
    connection: Session, commands: Sequence[Command]
) -> dict[tuple[str, str], Holder]:
    ids = sorted({c.account_id for c in commands if isinstance(c, MoveMoney)})
    if not ids:
        return {}
    owners = connection.execute(
        load_queries(_QUERIES)["owners_of_accounts"], {"ids": ids}
    ).fetchall()
    keys = wallet_ids(connection, [(row[0], row[1]) for row in owners], open_missing=True)
    locked = lock_wallets(connection, list(keys.values()))
    return {(holder.user_id, holder.currency): holder for holder in locked.values()}


def _account(row: tuple[Any, ...]) -> AccountState:
    return AccountState(
        id=row[0],
        is_active=row[9],
        book=Book(row[8]),
        profile=RiskProfile(ClientClass(row[10]), row[2], row[5], row[6], row[7]),
        holder=Holder.locked(
            HolderKind.ACCOUNT,
            holder_id=row[0],
            user_id=row[1],
            currency=row[2],
            available=row[3],
            version=row[4],
        ),
        margin_call_id=row[11],
    )


def _lay_out_positions(
    rows: Iterable[tuple[Any, ...]], reference: Reference, accounts: dict[str, AccountState]
) -> None:
    for row in rows:
        accounts[row[1]].positions[row[2]] = PositionState(
            id=row[0],
            account_id=row[1],
            instrument=reference.instruments[row[2]],
            quantity=row[3],
            average_price=row[4],
            realised_pnl=row[5],
            stop_loss=row[6],
            take_profit=row[7],
            version=row[8],
            version_read=row[8],
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
        metadata=None,
        version=row[21],
        version_read=row[21],
        fill_value=row[22],
    )


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
