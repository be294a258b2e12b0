"""How a decided batch is written: every table's rows as arrays, each table in one statement.

The guards of the database compare state and record at the end of each statement, so an order goes
with its events and a position with its trades. `store` reads what is written here.
"""

from collections.abc import Iterable, Mapping, Sequence

from tradewright.core.clock import utc_now
from tradewright.core.ids import new_id_text
from tradewright.liquidity.model import ProviderAnswer, ProviderRequest
from tradewright.postgres.arrays import Column, columns
from tradewright.postgres.pipeline import Statements
from tradewright.postgres.queries import load_queries
from tradewright.routing.profiles import ClientProfile
from tradewright.trading.amendment_rows import write_amendments
from tradewright.trading.books import exposure_changes
from tradewright.trading.order_rows import (
    EVENT,
    OLD_ORDER,
    ORDER,
    REPLACEMENT,
    old_order_row,
    order_row,
)
from tradewright.trading.risk_rows import write_risk
from tradewright.trading.state import Changes, Desk, OrderState, PositionState, Row

_QUERIES = "tradewright.trading"


def write_desk(statements: Statements, desk: Desk) -> None:
    """Write everything that the batch decided, each state in one statement with its record."""
    changes = desk.changes
    _write_orders(statements, changes)
    _write(statements, "write_order_replacements", REPLACEMENT, changes.replacements)
    _write(statements, "write_fills", _FILL, changes.fills)
    _write(statements, "write_close_bys", _CLOSE_BY, changes.close_bys)
    _write_positions(statements, changes)
    _write(statements, "write_rollovers", _ROLLOVER, changes.rollovers)
    _write(statements, "write_opening_rates", _OPENING_RATE, changes.opening_rates)
    closing = [
        (order.id, order.position_id, order.closes_whole)
        for order in changes.orders.values()
        if order.position_id is not None and not order.version_read
    ]
    _write(statements, "write_closing_orders", _CLOSING, closing)
    _write_hedges(statements, changes)
    _write_exposures(statements, changes)
    _write_requests(statements, desk)
    _write(statements, "write_unsolicited_fills", _UNSOLICITED, changes.unsolicited)
    _write(statements, "write_rankings", _RANKING, changes.rankings)
    _write(statements, "write_routing_decisions", _DECISION, changes.routing_decisions)
    _write_profiles(statements, changes)
    write_risk(statements, changes)
    desk.journal.write(statements)


def _write_requests(statements: Statements, desk: Desk) -> None:
    orders, hedges = desk.changes.answers, desk.changes.hedge_answers
    rows = [_request_row(desk, (of, None), told, word) for of, told, word in orders]
    rows += [_request_row(desk, (None, of), told, word) for of, told, word in hedges]
    _write(statements, "write_provider_requests", _REQUEST, rows)


def _write_profiles(statements: Statements, changes: Changes) -> None:
    """Write what is known of clients, and what it was measured from."""
    profiles = [_profile_row(key, one) for key, one in changes.profiles.items()]
    _write(statements, "write_client_profiles", _PROFILE, profiles)
    _write(statements, "write_client_measures", _MEASURE, changes.client_measures)


def _write_hedges(statements: Statements, changes: Changes) -> None:
    """Write new hedges before what came of hedges, and that before their fills."""
    _write(statements, "write_hedges", _HEDGE, changes.hedges_opened)
    news = {str(row[0]) for row in changes.hedges_opened}
    old = [
        (one.id, one.filled_quantity, one.status)
        for one in changes.hedges.values()
        if one.id not in news
    ]
    _write(statements, "update_hedges", _OLD_HEDGE, old)
    _write(statements, "write_hedge_fills", _HEDGE_FILL, changes.hedge_fills)


def _write_exposures(statements: Statements, changes: Changes) -> None:
    changes.exposures = exposure_changes(changes)
    rows = [(symbol, change) for symbol, change in changes.exposures.items() if change]
    _write(statements, "write_exposure_changes", ("symbols", "changes"), rows)


def _write_orders(statements: Statements, changes: Changes) -> None:
    new = [order for order in changes.orders.values() if not order.version_read]
    old = [order for order in changes.orders.values() if order.version_read]
    written = [order_row(order) for order in new]
    _write(statements, "write_orders", ORDER, written, _record_of(new, EVENT, changes.events))
    updated = [old_order_row(order) for order in old]
    _write(statements, "update_orders", OLD_ORDER, updated, _record_of(old, EVENT, changes.events))


def _write_positions(statements: Statements, changes: Changes) -> None:
    """Write positions with their trades, then what was amended of any."""
    positions = changes.positions.values()
    if not positions:
        write_amendments(statements, changes)
        return
    new = [_position_row(one) for one in positions if not one.version_read]
    old = [_old_position_row(one) for one in positions if one.version_read]
    parameters = {
        **columns(_TRADE, changes.trades),
        **columns(_OLD_POSITION, old),
        **columns(_POSITION, new),
    }
    statements.execute(load_queries(_QUERIES)["write_positions"], parameters)
    write_amendments(statements, changes)


def _record_of(
    orders: Sequence[OrderState], names: Sequence[str], rows: Iterable[Row]
) -> Mapping[str, Column]:
    """Return those rows of a record that belong to `orders`; each begins with its order's id."""
    ids = {order.id for order in orders}
    return columns(names, [row for row in rows if row[0] in ids])


def _write(
    statements: Statements,
    query: str,
    names: Sequence[str],
    rows: Sequence[Row],
    record: Mapping[str, Column] | None = None,
) -> None:
    if rows:
        parameters = {**columns(names, rows), **(record or {})}
        statements.execute(load_queries(_QUERIES)[query], parameters)


_CLOSING = ("order_id", "position_id", "is_whole")
_OPENING_RATE = ("position_id", "position_version", "rate")
_FILL = (
    "id",
    "order_id",
    "quantity",
    "price",
    "provider_id",
    "provider_execution_id",
    "quoted_at",
    "is_maker",
)
_TRADE = (
    "trade_position_ids",
    "trade_ids",
    "trade_account_ids",
    "trade_fill_ids",
    "trade_versions",
    "trade_effects",
    "trade_quantities",
    "trade_prices",
    "trade_conversion_rates",
    "trade_realised_pnls",
    "trade_commissions",
    "trade_position_quantities",
    "trade_position_prices",
    "trade_position_pnls",
    "trade_close_by_ids",
)
_ROLLOVER = (
    "id",
    "position_id",
    "rollover_on",
    "days",
    "quantity",
    "conversion_rate",
    "amount",
    "operation",
    "trade_id",
)
_CLOSE_BY = (
    "id",
    "account_id",
    "position_id",
    "by_position_id",
    "quantity",
    "price",
    "quoted_at",
)
_POSITION = (
    "new_ids",
    "account_ids",
    "symbols",
    "position_modes",
    "new_quantities",
    "new_prices",
    "new_pnls",
    "new_stop_losses",
    "new_take_profits",
    "are_open",
    "new_versions",
    "closed",
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
_UNSOLICITED = (
    "provider_ids",
    "execution_ids",
    "request_ids",
    "symbols",
    "sides",
    "quantities",
    "prices",
    "reasons",
    "executed",
)
_REQUEST = (
    "id",
    "request_id",
    "order_id",
    "hedge_id",
    "provider_id",
    "quantity",
    "price",
    "is_accepted",
    "filled_quantity",
    "reason",
    "hold_ms",
    "requested_at",
    "decided_at",
)
_DECISION = (
    "id",
    "order_id",
    "reason",
    "rule_id",
    "rule_revision",
    "a_percent",
    "a_quantity",
    "b_quantity",
    "inputs",
    "candidates",
    "decided_at",
)
_RANKING = ("ids", "order_ids", "hedge_ids", "candidates", "ranked")
_PROFILE = (
    "ids",
    "trade_counts",
    "markouts_1s",
    "markouts_10s",
    "markouts_60s",
    "closing_counts",
    "short_hold_shares",
    "win_shares",
    "arrival_counts",
    "reject_prone_shares",
)
_MEASURE = (
    "user_ids",
    "kinds",
    "numbers",
    "order_ids",
    "fill_ids",
    "trade_ids",
    "measured",
    "mids_1s",
    "mids_10s",
    "mids_60s",
    "markouts_1s",
    "markouts_10s",
    "markouts_60s",
    "opened",
    "short_holds",
    "wins",
    "rejected",
)
_HEDGE = (
    "ids",
    "symbols",
    "sides",
    "quantities",
    "exposures",
    "limits",
    "targets",
    "decided",
    "engine_ids",
)
_OLD_HEDGE = ("ids", "filled", "statuses")
_HEDGE_FILL = (
    "ids",
    "hedge_ids",
    "symbols",
    "seqs",
    "provider_ids",
    "execution_ids",
    "quantities",
    "prices",
    "results",
    "position_quantities",
    "position_prices",
    "executed",
)


def _position_row(position: PositionState) -> Row:
    return (
        position.id,
        position.account_id,
        position.instrument.symbol,
        position.mode,
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


def _profile_row(user_id: str, profile: ClientProfile) -> Row:
    return (
        user_id,
        profile.trade_count,
        *profile.markouts,
        profile.closing_count,
        profile.short_hold_share,
        profile.win_share,
        profile.arrival_count,
        profile.reject_prone_share,
    )


def _request_row(
    desk: Desk,
    asked_for: tuple[str | None, str | None],
    request: ProviderRequest,
    answer: ProviderAnswer,
) -> Row:
    """Return the row of a request for an order or for a hedge, whose id is given."""
    return (
        new_id_text(),
        request.request_id,
        *asked_for,
        desk.providers[answer.provider],
        request.quantity,
        request.limit_price,
        answer.accepted,
        answer.dealt_quantity,
        answer.reason,
        answer.hold_ms,
        request.requested_at,
        answer.decided_at,
    )
