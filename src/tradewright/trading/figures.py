"""What a client first asked an order to be, however the order has been changed since.

Quantity, limit and stop of an order change: its client replaces it, and its alternatives take from
it. Each such event keeps what the order was before, so the first of them says what was asked first,
by which a repeated submission is told from another order under its key. Read with an order that is
named by its key; a trailing stop moves by itself and is told by its terms.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from tradewright.trading.state import OrderState


class Figures(Struct, frozen=True):
    """Quantity and prices of an order at some moment."""

    quantity: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


def figures_of(order: "OrderState") -> Figures:
    """Return what an order is now."""
    return Figures(order.quantity, order.limit_price, order.stop_price)


def first_figures(order: "OrderState") -> Figures:
    """Return what an order was first; of one that was changed, it must be named by its key."""
    return order.first_figures or figures_of(order)


def before_change(order: "OrderState") -> dict[str, str]:
    """Return for the record what an order is before it is changed; its first figures are kept."""
    was = figures_of(order)
    order.first_figures = order.first_figures or was
    return told(was)


def told(figures: Figures) -> dict[str, str]:
    """Return figures for the record, without what an order of its type has not."""
    prices = {"limit_price": figures.limit_price, "stop_price": figures.stop_price}
    kept = {name: f"{price:f}" for name, price in prices.items() if price is not None}
    return {"quantity": f"{figures.quantity:f}", **kept}


def figures_from(kept: Mapping[str, str] | None) -> Figures | None:
    """Lay out what the first change of an order has kept; None where nothing was changed."""
    if kept is None:
        return None
    prices = (kept.get("limit_price"), kept.get("stop_price"))
    return Figures(
        Decimal(kept["quantity"]), *(None if one is None else Decimal(one) for one in prices)
    )
