"""Orders: those of a day with filters, and one with all that became of it."""

from tradewright import audit
from tradewright.access import Action
from tradewright.console.fields import asked_identifier, choice_of, days_of
from tradewright.console.model import Page, Shown, Visit
from tradewright.console.paging import paged
from tradewright.console.store import Row, read
from tradewright.liquidity.model import Side
from tradewright.trading.inquiry import find_account, find_order, find_user
from tradewright.trading.instruments import find_instrument
from tradewright.trading.model import OrderStatus

_TRAIL_MAX = 500
_STEPS_MAX = 1_000


def show_all(visit: Visit) -> Shown:
    """Show orders of some days, today's unless others are asked for."""
    filters = _filters(visit)
    found = paged(
        visit,
        "page",
        lambda count, passed: read(
            visit.session, "orders", **filters, count_max=count, passed=passed
        ),
    )
    facts = {
        "orders": found,
        "days": days_of(visit),
        "statuses": list(OrderStatus),
        "sides": list(Side),
    }
    return Shown("orders.html", facts)


def _filters(visit: Visit) -> dict[str, object]:
    days = days_of(visit)
    user = visit.word("user")
    first_id, last_id = days.ids
    return {
        "first_id": first_id,
        "last_id": last_id,
        "since": days.begins,
        "until": days.ends,
        "symbol": visit.word("symbol"),
        "side": choice_of(visit, "side", Side),
        "status": choice_of(visit, "status", OrderStatus),
        "account_id": asked_identifier(visit, "account"),
        "user_id": None if user is None else find_user(visit.session, user).id,
    }


def show(visit: Visit) -> Shown:
    """Show an order with its events, its routing, its fills, and its trail."""
    session, order_id = visit.session, str(visit.path["order_id"])
    order, _ = find_order(session, order_id)
    account = find_account(session, order.account_id)
    decisions = read(session, "decision_of_order", order_id=order_id)
    facts = {
        "order": order,
        "account": account,
        "events": read(session, "steps_of_order", order_id=order_id, count_max=_STEPS_MAX),
        "tick": find_instrument(session, order.symbol).price_tick,
        "fills": read(session, "fills_of_order", order_id=order_id),
        "decision": decisions[0] if decisions else None,
        "rankings": [_ranked(row) for row in read(session, "rankings_of_order", order_id=order_id)],
        "trail": audit.read_trail(session, order_id, entries_max=_TRAIL_MAX),
    }
    return Shown("order.html", facts)


def _ranked(row: Row) -> Row:
    """Return a ranking with the names of its figures, the provider's first."""
    names = {name for candidate in row["candidates"] for name in candidate}
    known = [name for name in _FIRST if name in names]
    return {**row, "columns": [*known, *sorted(names - set(known))]}


_FIRST = ("provider", "price", "size")

PAGES = (
    Page(Action.READ_DEALING, "/orders", show_all),
    Page(Action.READ_DEALING, "/orders/{order_id:uuid}", show),
)
