"""The dealer's desk: what the house holds, its hedges, its providers, and what is stopped."""

from tradewright.access import Action
from tradewright.console.fields import reason_of, target_of
from tradewright.console.model import Done, Method, Page, Shown, Visit
from tradewright.console.paging import paged
from tradewright.console.request import malformed
from tradewright.console.store import read
from tradewright.liquidity.reconciliation.service import read_trade_breaks
from tradewright.risk import store
from tradewright.risk.halts import HaltMode
from tradewright.risk.limits import Scope, Target
from tradewright.trading import kill_switch
from tradewright.trading.corrections import list_corrections
from tradewright.trading.groups import find_group
from tradewright.trading.inquiry import find_account
from tradewright.trading.instruments import find_instrument
from tradewright.trading.unsolicited import list_unsolicited

_PAST_MAX = 20
_OPEN_MAX = 100


def show(visit: Visit) -> Shown:
    """Show the house's exposure by symbol with limits and hedges under way."""
    session = visit.session
    facts = {
        "exposures": read(session, "exposures"),
        "halts": store.read_halts(session),
        "hedges": read(session, "hedges", symbol=None, count_max=10, passed=0),
    }
    return Shown("dealer.html", facts)


def show_hedges(visit: Visit) -> Shown:
    """Show the hedges of the house, of all symbols or of one."""
    symbol = visit.word("symbol")
    found = paged(
        visit,
        "page",
        lambda count, passed: read(
            visit.session, "hedges", symbol=symbol, count_max=count, passed=passed
        ),
    )
    return Shown("hedges.html", {"hedges": found, "symbol": symbol})


def show_providers(visit: Visit) -> Shown:
    """Show the providers, how they answer, and their sessions."""
    session = visit.session
    facts = {"providers": read(session, "providers"), "lines": read(session, "provider_lines")}
    return Shown("providers.html", facts)


def show_reconciliation(visit: Visit) -> Shown:
    """Show what is not agreed with providers: differences, executions of no order, corrections."""
    session = visit.session
    breaks = read_trade_breaks(session)
    facts = {
        "breaks": paged(visit, "page", lambda count, passed: breaks[passed : passed + count]),
        "unsolicited": list_unsolicited(session, count_max=_OPEN_MAX),
        "corrections": list_corrections(session, count_max=_OPEN_MAX),
        "lists": read(session, "trade_lists", count_max=_PAST_MAX),
        "open_max": _OPEN_MAX,
    }
    return Shown("reconciliation.html", facts)


def show_halts(visit: Visit) -> Shown:
    """Show what is stopped, and what was; stop more or resume."""
    session = visit.session
    facts = {
        "halts": store.read_halts(session),
        "past": read(session, "past_halts", count_max=_PAST_MAX),
        "scopes": list(Scope),
        "asked": {"scope": visit.word("scope") or "all", "target": visit.word("target") or ""},
    }
    return Shown("halts.html", facts)


def halt(visit: Visit) -> Done:
    """Stop trading: all of it, or that what opens; what rests under a kill is canceled too."""
    target, reason, actor = target_of(visit), reason_of(visit), visit.caller.actor
    mode = visit.said("mode")
    _require_there(visit, target)
    if mode == HaltMode.REDUCE_ONLY:
        store.set_halt(visit.session, HaltMode.REDUCE_ONLY, target, actor=actor, reason=reason)
        return Done("/dealer/halts", "reduced")
    if mode != HaltMode.HALTED:
        raise malformed(f'the mode "{mode}"', f"It is one of {', '.join(HaltMode)}.")
    kill_switch.halt(visit.session, target, actor=actor, reason=reason)
    return Done("/dealer/halts", "halted")


def resume(visit: Visit) -> Done:
    """Lift a halt."""
    target, reason = target_of(visit), reason_of(visit)
    _require_there(visit, target)
    store.lift_halt(visit.session, target, actor=visit.caller.actor, reason=reason)
    return Done("/dealer/halts", "resumed")


def _require_there(visit: Visit, target: Target) -> None:
    """Refuse a name that nothing has."""
    name = target.name or ""
    finders = {
        Scope.ACCOUNT: find_account,
        Scope.GROUP: find_group,
        Scope.INSTRUMENT: find_instrument,
    }
    if target.scope in finders:
        finders[target.scope](visit.session, name)


PAGES = (
    Page(Action.READ_DEALING, "/dealer", show),
    Page(Action.READ_DEALING, "/dealer/hedges", show_hedges),
    Page(Action.READ_DEALING, "/dealer/providers", show_providers),
    Page(Action.READ_DEALING, "/dealer/reconciliation", show_reconciliation),
    Page(Action.READ_DEALING, "/dealer/halts", show_halts),
    Page(Action.STOP_TRADING, "/dealer/halt", halt, Method.SEND),
    Page(Action.RESUME_TRADING, "/dealer/resume", resume, Method.SEND),
)
