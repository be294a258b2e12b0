"""What a corrected price makes of the trades of an execution: a difference in money, booked once.

The trades stay as they are; each adjustment is a row of its own beside its trade, and an entry of
the ledger between the account and the house's dealing holder. `corrections` says when.
"""

from decimal import Decimal

from tradewright.core.errors import ErrorCode, StateError
from tradewright.core.ids import new_id_text
from tradewright.core.money import round_to_minor_unit
from tradewright.ledger.model import HouseCode, Movement
from tradewright.ledger.postings import post_movements
from tradewright.ledger.store import house_holder_ids
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.trading.reversals import Opened

_QUERIES = "tradewright.trading"


def adjust_trades(connection: Session, correction_id: str, fill_id: str, price: Decimal) -> None:
    """Give or charge an account what another price makes of the trades of an execution.

    The account is locked first, so that a second correction of an execution begins at the first's
    price. The account may fall below zero, as through any loss.

    Raises:
        StateError: CORRECTION_NOT_ADJUSTABLE, when a part of the fill was taken back.

    """
    queries = load_queries(_QUERIES)
    row = connection.execute(queries["lock_execution_account"], {"fill_id": fill_id}).fetchone()
    if row is None:
        raise AssertionError("a fill is of an order, and that of an account")
    account_id, currency = row[:2]
    _require_whole(connection, correction_id, fill_id)
    dealing = house_holder_ids(connection, currency)[HouseCode.DEALING]
    trades = connection.execute(queries["trades_to_adjust"], {"fill_id": fill_id})
    movements = []
    for trade_id, quantity, before, rate in trades.fetchall():
        amount = round_to_minor_unit((before - price) * quantity * rate, currency)
        prices = {"price_before": before, "price": price, "amount": amount}
        named = {"trade_id": trade_id, "correction_id": correction_id, "id": new_id_text()}
        connection.execute(queries["add_trade_adjustment"], named | prices)
        if amount:
            paid = (dealing, account_id) if amount > 0 else (account_id, dealing)
            movements.append(_movement(named["id"], paid, currency, abs(amount)))
    for result in post_movements(connection, movements):
        if result.error is not None:
            raise result.error


def _require_whole(connection: Session, correction_id: str, fill_id: str) -> None:
    """Refuse another price for a fill of which a part was taken back at the old one."""
    query = load_queries(_QUERIES)["opened_by_fill"]
    row = connection.execute(query, {"fill_id": fill_id}).fetchone()
    if row is not None and Opened(*row).is_reversed:
        raise StateError(
            ErrorCode.CORRECTION_NOT_ADJUSTABLE,
            f'correction "{correction_id}" cannot be booked as a difference of prices',
            why="The provider has busted the execution too; what was open of it was taken back.",
            hint="Settle it as kept, or make the difference good by hand and settle it as undone.",
        )


def _movement(
    adjustment_id: str, paid: tuple[str, str], currency: str, amount: Decimal
) -> Movement:
    return Movement(
        transaction_id=adjustment_id,
        operation="price_adjustment",
        debit_id=paid[0],
        credit_id=paid[1],
        currency=currency,
        amount=amount,
    )
