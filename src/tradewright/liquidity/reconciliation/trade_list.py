"""Read and write a provider's list of a day's trades: CSV with the house's columns."""

import csv
import io
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from tradewright.core.statements import read_csv, require_size, unreadable
from tradewright.liquidity.model import Side
from tradewright.liquidity.reconciliation.model import TradeLine

COLUMNS = ("execution_id", "request_id", "symbol", "side", "quantity", "price", "executed_at")


def read_trade_list(content: bytes) -> list[TradeLine]:
    """Return the lines of a list; `executed_at` is ISO 8601 with its zone.

    Raises:
        InputError: STATEMENT_UNREADABLE, naming the line.

    """
    require_size(content)
    return [_line(number, fields) for number, fields in read_csv(content, COLUMNS)]


def write_trade_list(lines: Iterable[TradeLine]) -> str:
    """Return lines as CSV, as `read_trade_list` takes it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for line in lines:
        quantity, price = f"{line.quantity:f}", f"{line.price:f}"
        names = (line.execution_id, line.request_id, line.symbol, line.side)
        writer.writerow((*names, quantity, price, line.executed_at.isoformat()))
    return text.getvalue()


def _line(number: int, fields: dict[str, str]) -> TradeLine:
    try:
        line = TradeLine(
            execution_id=fields["execution_id"],
            request_id=fields["request_id"],
            symbol=fields["symbol"],
            side=Side(fields["side"]),
            quantity=Decimal(fields["quantity"]),
            price=Decimal(fields["price"]),
            executed_at=datetime.fromisoformat(fields["executed_at"]),
        )
    except (ValueError, InvalidOperation):
        raise unreadable(f"line {number} cannot be read", f"It says {fields}.") from None
    is_quantity = line.quantity.is_finite() and line.quantity > 0
    is_named = line.execution_id and line.symbol and line.executed_at.tzinfo is not None
    if not (is_quantity and line.price.is_finite() and is_named):
        raise unreadable(f"line {number} cannot be read", f"It says {fields}.")
    return replace(line, executed_at=line.executed_at.astimezone(UTC))
