"""Risk: who is near a stop-out, who was called, what limits denied, and what a fall would do."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tradewright.access import Action, require
from tradewright.console.fields import choice_of, number_of, reason_of
from tradewright.console.model import Done, Method, Page, Shown, Visit
from tradewright.console.paging import paged
from tradewright.console.request import malformed
from tradewright.console.standings import ACCOUNTS_MAX, value_accounts
from tradewright.console.store import read
from tradewright.core.money import minor_unit
from tradewright.risk.breaker_store import move_by_hand, read_breakers
from tradewright.risk.breakers import BreakerState
from tradewright.risk.limits import LimitKind
from tradewright.risk.store import read_limits
from tradewright.risk.stress import CASES, AccountOutcome, Scenario
from tradewright.trading.instruments import find_instrument
from tradewright.trading.stress import Capital, run_stress


def show(visit: Visit) -> Shown:
    """Show accounts that hold something, the one nearest to its stop-out first."""
    valued = visit.lookout.standings.get(lambda: value_accounts(visit.session))
    standings = valued.standings
    facts = {
        "accounts": paged(visit, "page", lambda count, passed: standings[passed : passed + count]),
        "valued": valued,
        "accounts_max": ACCOUNTS_MAX,
    }
    return Shown("risk.html", facts)


def show_calls(visit: Visit) -> Shown:
    """Show margin calls and stop-outs."""

    def reader(query: str) -> Any:
        return lambda count, passed: read(visit.session, query, count_max=count, passed=passed)

    facts = {
        "calls": paged(visit, "calls", reader("margin_calls")),
        "stops": paged(visit, "stops", reader("stop_outs")),
    }
    return Shown("margin_calls.html", facts)


def show_limits(visit: Visit) -> Shown:
    """Show the limits and what they have denied."""
    found = paged(
        visit,
        "page",
        lambda count, passed: read(visit.session, "breaches", count_max=count, passed=passed),
    )
    facts = {"limits": read_limits(visit.session), "breaches": found, "units": _UNITS}
    return Shown("limits.html", facts)


_UNITS: Mapping[LimitKind, str] = {
    LimitKind.PRICE_COLLAR: "bps",
    LimitKind.ORDER_QUANTITY: "units",
    LimitKind.ORDER_SIZE: "medians",
    LimitKind.OPEN_ORDERS: "orders",
    LimitKind.OPEN_POSITIONS: "positions",
    LimitKind.LEVERAGE: "times equity",
    LimitKind.MESSAGE_RATE: "a second",
    LimitKind.DENIAL_RATE: "a minute",
}
"""What is counted by limits that are not of money."""


def show_breakers(visit: Visit) -> Shown:
    """Show the circuit breakers and their events."""
    found = paged(
        visit,
        "page",
        lambda count, passed: read(visit.session, "breaker_events", count_max=count, passed=passed),
    )
    facts = {"breakers": read_breakers(visit.session), "events": found, "moves": _MOVES}
    return Shown("breakers.html", facts)


_MOVES: Mapping[str, tuple[BreakerState, Action]] = {
    "trigger": (BreakerState.TRIGGERED, Action.STOP_TRADING),
    "reset": (BreakerState.ARMED, Action.RESUME_TRADING),
    "disable": (BreakerState.DISABLED, Action.RESUME_TRADING),
}
"""What a person does with a breaker: the state that it comes to, and what that takes."""


def move_breaker(visit: Visit) -> Done:
    """Trigger, reset or disable a circuit breaker by a person's word."""
    move = visit.said("move")
    if move not in _MOVES:
        raise malformed(f'the move "{move}"', f"It is one of {', '.join(_MOVES)}.")
    state, action = _MOVES[move]
    require(visit.caller, action)
    code, reason = visit.path["code"], reason_of(visit)
    move_by_hand(visit.session, code, state, actor=visit.caller.actor, reason=reason)
    return Done("/risk/breakers", "moved")


def show_stress(visit: Visit) -> Shown:
    """Show what a scenario would leave of each account and of the house, if one is asked for."""
    scenario = _scenario(visit)
    currency = visit.word("currency") or "USD"
    minor_unit(currency)
    facts: dict[str, Any] = {"cases": CASES, "currency": currency}
    facts["report"] = None
    if scenario is not None:
        report = run_stress(visit.session, scenario, capital=Capital(currency=currency))
        worst = sorted(report.accounts, key=_worst_first)
        facts |= {
            "report": report,
            "accounts": paged(visit, "page", lambda count, passed: worst[passed : passed + count]),
            "called": sum(one.is_called for one in worst),
            "stopped": sum(one.is_stopped_out for one in worst),
            "negative": sum(one.negative > 0 for one in worst),
        }
    return Shown("stress.html", facts)


def _scenario(visit: Visit) -> Scenario | None:
    """Return the case that is asked for, or the one move of a symbol or of a currency."""
    case = choice_of(visit, "case", CASES)
    name, percent = visit.word("name"), number_of(visit, "percent")
    if case is not None and (name or percent is not None):
        raise malformed("a case and a move of its own", "One scenario is run at a time.")
    if case is not None:
        return CASES[case]
    if name is None and percent is None:
        return None
    if name is None or percent is None:
        raise malformed("a move without its name or its percent", "A move is both.")
    moved = percent / 100
    if len(name) == _CURRENCY_LENGTH:
        minor_unit(name)
        return Scenario(name="own", currencies={name: moved})
    find_instrument(visit.session, name)
    return Scenario(name="own", symbols={name: moved})


_CURRENCY_LENGTH = 3


def _worst_first(one: AccountOutcome) -> tuple[bool, Decimal, Decimal]:
    level = None if one.after is None else one.after.level
    unknown = Decimal("Infinity")
    return one.after is not None, -one.negative, unknown if level is None else level


PAGES = (
    Page(Action.READ_RISK, "/risk", show),
    Page(Action.READ_RISK, "/risk/margin-calls", show_calls),
    Page(Action.READ_RISK, "/risk/limits", show_limits),
    Page(Action.READ_RISK, "/risk/breakers", show_breakers),
    Page(Action.READ_RISK, "/risk/breakers/{code}/move", move_breaker, Method.SEND),
    Page(Action.READ_RISK, "/risk/stress", show_stress),
)
