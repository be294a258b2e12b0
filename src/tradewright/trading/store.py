"""The rows of a batch: read under lock, in one order for every writer, and written as one set.

Lock order: wallets by holder id, accounts by id, positions by id. Whoever holds an account's lock
owns its orders too, so orders are read without locks of their own. Lookups that must see what was
committed while a lock was waited for come after it, as statements of their own.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from tradewright.core.clock import utc_now
from tradewright.core.errors import ErrorCode
from tradewright.core.ids import new_id_text
from tradewright.ledger.model import Holder, HolderKind
from tradewright.ledger.store import lock_wallets, wallet_ids
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.market import Market
from tradewright.liquidity.model import ProviderAnswer, ProviderRequest, Side
from tradewright.postgres.connect import Session
from tradewright.postgres.copy_rows import NULL, copy_rows, copy_text, copy_value
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
    OrderEvent,
    OrderState,
    PositionState,
)

_QUERIES = "tradewright.trading"


def lock_desk(
    connection: Session, reference: Reference, market: Market, commands: Sequence[Command]
) -> Desk:
    """Lock and read all that the commands may touch, and lay it out as a desk."""
    account_ids = sorted({command.account_id for command in commands})
    wallets = _lock_wallets(connection, commands)
    accounts = _lock_accounts(connection, account_ids)
    _read_positions(connection, reference, accounts)
    named = [c.order_id for c in commands if isinstance(c, TriggerOrder | BookAnswers)]
    watched = {c.account_id for c in commands if isinstance(c, CheckMargin | ClosePosition)}
    orders = _read_orders(connection, reference, "live_orders", {"ids": sorted(watched)}, watched)
    orders |= _read_orders(
        connection, reference, "orders_named", {"ids": [n for n in named if n not in orders]}, named
    )
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
        orders_by_key=_read_keys(connection, reference, commands, orders),
        wallets=wallets,
        entries_before=_read_entries(connection, commands),
    )


def read_live_desk(connection: Session, reference: Reference, market: Market) -> Desk:
    """Read every account with something open, its positions and live orders, without locks."""
    rows = connection.execute(load_queries(_QUERIES)["accounts_at_risk"]).fetchall()
    ids = [row[0] for row in rows]
    accounts = _lock_accounts(connection, ids)
    _read_positions(connection, reference, accounts)
    orders = _read_orders(connection, reference, "live_orders", {"ids": ids}, ids)
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
    changes, queries = desk.changes, load_queries(_QUERIES)
    new_orders = [order for order in changes.orders.values() if not order.version_read]
    old_orders = [order for order in changes.orders.values() if order.version_read]
    new_positions = [p for p in changes.positions.values() if not p.version_read]
    old_positions = [p for p in changes.positions.values() if p.version_read]
    _copy(connection, "copy_events", map(_event_line, changes.events))
    _copy(connection, "copy_orders", map(_order_line, new_orders))
    if old_orders:
        connection.execute(queries["update_orders"], _order_columns(old_orders))
    _copy(connection, "copy_fills", changes.fills)
    _copy(connection, "copy_trades", changes.trades)
    # A flip closes one position and opens another: the old one must make room first.
    if old_positions:
        connection.execute(queries["update_positions"], _position_columns(old_positions))
    _copy(connection, "copy_positions", map(_position_line, new_positions))
    answers = (_request_line(desk, *row) for row in changes.answers)
    _copy(connection, "copy_provider_requests", answers)
    calls = ("\t".join(map(str, row)) + "\n" for row in changes.margin_calls)
    _copy(connection, "copy_margin_calls", calls)
    if changes.resolved_calls:
        connection.execute(queries["resolve_margin_calls"], {"ids": changes.resolved_calls})
    _copy(connection, "copy_stop_outs", changes.stop_outs)
    desk.journal.write(connection)


def _copy(connection: Session, query: str, lines: Iterable[str]) -> None:
    text = list(lines)
    if text:
        copy_rows(connection, load_queries(_QUERIES)[query], text)


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


def _lock_accounts(connection: Session, ids: list[str]) -> dict[str, AccountState]:
    rows = connection.execute(load_queries(_QUERIES)["lock_accounts"], {"ids": ids})
    return {row[0]: _account(row) for row in rows}


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


def _read_positions(
    connection: Session, reference: Reference, accounts: dict[str, AccountState]
) -> None:
    rows = connection.execute(load_queries(_QUERIES)["lock_positions"], {"ids": list(accounts)})
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


def _read_orders(
    connection: Session,
    reference: Reference,
    query: str,
    parameters: dict[str, list[str]],
    wanted: Collection[object],
) -> dict[str, OrderState]:
    if not wanted:
        return {}
    rows = connection.execute(load_queries(_QUERIES)[query], parameters)
    return {row[0]: order_from_row(row, reference.instruments[row[3]]) for row in rows}


def _read_keys(
    connection: Session,
    reference: Reference,
    commands: Iterable[Command],
    known: dict[str, OrderState],
) -> dict[tuple[str, str], OrderState]:
    keys = [
        (c.account_id, c.client_order_id)
        for c in commands
        if isinstance(c, SubmitOrder | CancelOrder)
    ]
    parameters = {"account_ids": [k[0] for k in keys], "keys": [k[1] for k in keys]}
    found = _read_orders(connection, reference, "orders_by_key", parameters, keys)
    orders = [known.setdefault(order.id, order) for order in found.values()]
    return {(order.account_id, order.client_order_id): order for order in orders}


def _read_entries(
    connection: Session, commands: Iterable[Command]
) -> dict[tuple[str, str], tuple[str, Any]]:
    ids = [c.transaction_id for c in commands if isinstance(c, MoveMoney)]
    if not ids:
        return {}
    rows = connection.execute(
        load_queries("tradewright.ledger")["entries_of_transactions"],
        {"transaction_ids": ids, "operations": ["transfer_out"] * len(ids)},
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


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


def _event_line(event: OrderEvent) -> str:
    details = NULL if event.details is None else copy_text(event.details)
    return (
        f"{event.order_id}\t{event.seq}\t{event.event_type}\t{copy_value(event.from_status)}\t"
        f"{event.to_status}\t{copy_value(event.quantity)}\t{copy_value(event.price)}\t"
        f"{event.actor}\t{details}\n"
    )


def _order_line(order: OrderState) -> str:
    metadata = NULL if order.metadata is None else copy_text(json.dumps(order.metadata))
    optional = "\t".join(
        copy_value(value)
        for value in (
            order.average_price,
            order.limit_price,
            order.stop_price,
            order.stop_loss,
            order.take_profit,
        )
    )
    return (
        f"{order.id}\t{order.account_id}\t{order.client_order_id}\t{order.instrument.symbol}\t"
        f"{order.side}\t{order.order_type}\t{order.time_in_force}\t{order.origin}\t{order.book}\t"
        f"{order.quantity}\t{order.filled_quantity}\t{order.remaining_quantity}\t{optional}\t"
        f"{order.status}\t{order.is_routed}\t{copy_value(order.refused_by)}\t"
        f"{copy_value(order.refusal_code)}\t{metadata}\t{order.version}\n"
    )


def _position_line(position: PositionState) -> str:
    is_open = position.quantity != 0
    closed_at = NULL if is_open else utc_now().isoformat()
    return (
        f"{position.id}\t{position.account_id}\t{position.instrument.symbol}\t"
        f"{position.quantity}\t{position.average_price}\t{position.realised_pnl}\t"
        f"{copy_value(position.stop_loss)}\t{copy_value(position.take_profit)}\t{is_open}\t"
        f"{position.version}\t{closed_at}\n"
    )


def _request_line(
    desk: Desk, order_id: str, request: ProviderRequest, answer: ProviderAnswer
) -> str:
    return (
        f"{new_id_text()}\t{order_id}\t{desk.providers[answer.provider]}\t{request.quantity}\t"
        f"{request.limit_price}\t{answer.accepted}\t{copy_value(answer.reason)}\t"
        f"{answer.hold_ms}\t{request.requested_at}\t{answer.decided_at}\n"
    )


def _order_columns(orders: Sequence[OrderState]) -> dict[str, list[Any]]:
    return {
        "ids": [order.id for order in orders],
        "filled": [order.filled_quantity for order in orders],
        "remaining": [order.remaining_quantity for order in orders],
        "prices": [order.average_price for order in orders],
        "statuses": [order.status for order in orders],
        "routed": [order.is_routed for order in orders],
        "refused_by": [order.refused_by for order in orders],
        "codes": [order.refusal_code for order in orders],
        "versions": [order.version for order in orders],
    }


def _position_columns(positions: Sequence[PositionState]) -> dict[str, list[Any]]:
    return {
        "ids": [position.id for position in positions],
        "quantities": [position.quantity for position in positions],
        "prices": [position.average_price for position in positions],
        "pnls": [position.realised_pnl for position in positions],
        "stop_losses": [position.stop_loss for position in positions],
        "take_profits": [position.take_profit for position in positions],
        "versions": [position.version for position in positions],
    }
