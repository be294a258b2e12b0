"""Who may do what: the table of the page is the table of the code, and both parts are asked for."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from tradewright.access import ACTIONS, Action, Caller, Role, Scope, may, require
from tradewright.core.errors import ErrorCode, StateError

PAGE = Path(__file__).resolve().parents[3] / "docs" / "explain" / "access.md"


def who(roles: Iterable[str], scopes: Iterable[str]) -> Caller:
    return Caller("user", "kim@example.org", frozenset(roles), frozenset(scopes), "key")


def test_the_page_of_access_has_the_table_of_the_code() -> None:
    text = PAGE.read_text(encoding="utf-8").partition("## Actions\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `")]
    listed = {
        action.strip(" `"): (scope.strip(" `"), set(re.findall(r"`(\w+)`", roles)))
        for action, scope, roles in rows
    }
    assert listed == {
        str(action): (str(need.scope), {str(role) for role in need.roles})
        for action, need in ACTIONS.items()
    }


def test_every_action_has_its_need() -> None:
    assert set(ACTIONS) == set(Action)


@pytest.mark.parametrize("action", list(Action))
def test_an_action_is_refused_without_its_scope_whatever_the_roles(action: Action) -> None:
    others = {scope for scope in Scope if scope is not ACTIONS[action].scope}
    assert not may(who(set(Role), others), action)


@pytest.mark.parametrize("action", list(Action))
def test_an_action_of_staff_is_refused_without_one_of_its_roles_whatever_the_scopes(
    action: Action,
) -> None:
    need = ACTIONS[action]
    others = set(Role) - need.roles
    assert may(who(others, set(Scope)), action) is not bool(need.roles)


@pytest.mark.parametrize("action", list(Action))
def test_its_scope_and_any_one_of_its_roles_are_enough(action: Action) -> None:
    need = ACTIONS[action]
    for role in need.roles or {Role.TRADER}:
        assert may(who({role}, {need.scope}), action)


def test_a_trader_has_no_action_of_staff_and_everything_of_their_own() -> None:
    kim = who({Role.TRADER}, set(Scope))
    assert {action for action in Action if may(kim, action)} == {
        Action.READ_OWN,
        Action.TRADE_OWN,
        Action.PAY_OWN,
    }


def test_who_stops_trading_does_not_by_that_resume_it() -> None:
    dealer = who({Role.DEALER}, {Scope.STAFF})
    assert may(dealer, Action.STOP_TRADING)
    assert not may(dealer, Action.RESUME_TRADING)


def test_a_refusal_names_the_scope_and_the_roles() -> None:
    with pytest.raises(StateError) as caught:
        require(who({Role.TRADER}, {Scope.READ}), Action.DECIDE_PAYMENTS)
    assert caught.value.code is ErrorCode.ACCESS_DENIED
    assert "scope staff" in caught.value.why
    assert "payments_officer" in caught.value.why
