"""One trading account: what it is worth now, what it holds, what rests, and how it came there."""

from tradewright import ledger
from tradewright.access import Action
from tradewright.console.model import Page, Shown, Visit
from tradewright.console.standings import Standing, standing_of
from tradewright.console.store import read, read_values
from tradewright.trading.inquiry import (
    ListedAccount,
    find_account,
    list_orders,
    list_positions,
    list_trades,
    worths_of,
)
from tradewright.trading.worths import position_facts

_POSITIONS_MAX = 100
_ORDERS_MAX = 50
_HISTORY_MAX = 50
_TRADES_MAX = 25
_ENTRIES_MAX = 25


def show(visit: Visit) -> Shown:
    """Show an account with its valuation, positions, live orders, margin history and ledger."""
    session, account_id = visit.session, str(visit.path["account_id"])
    account = find_account(session, account_id)
    positions = list_positions(session, account_id=account.id, count_max=_POSITIONS_MAX)
    ticks = read(session, "price_ticks")
    facts = {
        "account": account,
        "standing": _standing(visit, account),
        "positions": position_facts(session, positions, account.currency),
        "orders": list_orders(session, account_id=account.id, is_live=True, count_max=_ORDERS_MAX),
        "history": read(session, "margin_history", account_id=account.id, count_max=_HISTORY_MAX),
        "trades": list_trades(session, account.id, count_max=_TRADES_MAX),
        "entries": ledger.read_entries(session, account.id, count_max=_ENTRIES_MAX),
        "ticks": {row["symbol"]: row["price_tick"] for row in ticks},
    }
    return Shown("account.html", facts)


def _standing(visit: Visit, account: ListedAccount) -> Standing:
    (regime,) = read_values(visit.session, "regime_of_account", account_id=account.id)
    row = {
        "id": account.id,
        "regime": regime,
        "margin_call_level": account.margin_call_level,
        "stop_out_level": account.stop_out_level,
    }
    return standing_of(row, worths_of(visit.session, [account])[account.id])


PAGES = (Page(Action.READ_CLIENTS, "/accounts/{account_id:uuid}", show),)
