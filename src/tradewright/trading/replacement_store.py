"""Reading replacements that wait for a provider, for the batches that meet such an order.

What waits stands in the order's last event `pending_replace`; `replacing` decides about it. A batch
without such an order asks nothing.
"""

from decimal import Decimal

from tradewright.postgres.pipeline import Statements
from tradewright.postgres.queries import load_queries
from tradewright.trading.model import OrderStatus, ReplaceOrder
from tradewright.trading.order_rows import read_orders
from tradewright.trading.state import Desk

_QUERIES = "tradewright.trading"


def read_waiting(statements: Statements, desk: Desk) -> None:
    """Put what waits for its orders onto the desk, and what deciding about it must know."""
    ids = [one.id for one in desk.orders.values() if one.status is OrderStatus.PENDING_REPLACE]
    if not ids:
        return
    queries = load_queries(_QUERIES)
    rows = statements.execute(queries["replacements_waiting"], {"ids": ids}).fetchall()
    for order_id, account_id, asked, is_taken in rows:
        command = _command(account_id, asked)
        desk.replacements_waiting[order_id] = command
        if is_taken:
            desk.keys_taken.add((account_id, command.new_client_order_id))
    read_orders(statements, desk, "live_orders", sorted({row[1] for row in rows}))


def _command(account_id: str, asked: dict[str, str]) -> ReplaceOrder:
    terms = ("quantity", "limit_price", "stop_price")
    return ReplaceOrder(
        account_id=account_id,
        client_order_id=asked["client_order_id"],
        new_client_order_id=asked["new_client_order_id"],
        **{name: Decimal(asked[name]) for name in terms if name in asked},
    )
