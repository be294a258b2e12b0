"""Clients: found by a part of the address or an id, and one with all that is theirs."""

from urllib.parse import urlencode

from tradewright import audit, ledger, payments
from tradewright.access import Action, may
from tradewright.console.fields import is_identifier
from tradewright.console.model import Led, Page, Shown, Visit
from tradewright.console.paging import paged
from tradewright.console.store import read
from tradewright.trading.inquiry import find_user, list_accounts, list_positions, worths_of

_ACCOUNTS_MAX = 50
_POSITIONS_MAX = 100
_PAYMENTS_MAX = 20
_TRAIL_MAX = 20


def show_all(visit: Visit) -> Shown:
    """Show the users who are asked for, or the newest."""
    text = visit.word("search") or ""
    looked_for = {"id": text if is_identifier(text) else None, "text": text}
    found = paged(
        visit,
        "page",
        lambda count, passed: read(
            visit.session, "search_users", **looked_for, count_max=count, passed=passed
        ),
    )
    return Shown("clients.html", {"users": found, "search": text})


def find(visit: Visit) -> Led:
    """Lead to what an id is of; whatever else is asked for is looked for among the clients."""
    text = visit.word("text") or ""
    if is_identifier(text):
        for named in read(visit.session, "what_is_named", id=text):
            return Led(f"/{named['kind']}/{named['id']}")
        if may(visit.caller, Action.READ_AUDIT):
            return Led("/audit/trail?" + urlencode({"id": text}))
    return Led("/clients?" + urlencode({"search": text}))


def show(visit: Visit) -> Shown:
    """Show a user with all that is theirs; payments and trail to those who may see such."""
    session, user_id = visit.session, str(visit.path["user_id"])
    user = find_user(session, user_id)
    accounts = list_accounts(session, user_id=user.id, count_max=_ACCOUNTS_MAX)
    ticks = read(session, "price_ticks")
    facts = {
        "user": user,
        "ticks": {row["symbol"]: row["price_tick"] for row in ticks},
        "accounts": accounts,
        "worths": worths_of(session, accounts),
        "wallets": ledger.read_wallets(session, user.id),
        "debts": payments.read_debts(session, user.id),
        "positions": list_positions(session, user_id=user.id, count_max=_POSITIONS_MAX),
        "payments": None,
        "trail": None,
    }
    if may(visit.caller, Action.READ_AUDIT):
        facts["trail"] = audit.read_trail(session, user.id, entries_max=_TRAIL_MAX)
    if may(visit.caller, Action.READ_PAYMENTS):
        facts["payments"] = payments.list_payments(
            session, status=None, kind=None, user_id=user.id, count_max=_PAYMENTS_MAX
        )
    return Shown("client.html", facts)


PAGES = (
    Page(Action.READ_CLIENTS, "/find", find),
    Page(Action.READ_CLIENTS, "/clients", show_all),
    Page(Action.READ_CLIENTS, "/clients/{user_id:uuid}", show),
)
