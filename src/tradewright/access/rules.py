"""Who may do which action: one table, one function. Pure; docs/explain/access.md shows the table.

An action takes a scope of the key and, for staff, one of some roles of its user. Reading is given
to all who answer for something; what moves money or opens trading again to those alone whose work
it is. That the one who approves a payment is not its owner is the database's to say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tradewright.access.model import Action, ApiKey, Caller, Role, Scope
from tradewright.core.errors import ErrorCode, StateError


@dataclass(frozen=True, slots=True)
class Need:
    """What an action takes: a scope, and one of some roles; without roles every user's own."""

    scope: Scope
    roles: frozenset[Role] = frozenset()


def _staff(*roles: Role) -> Need:
    return Need(Scope.STAFF, frozenset(roles))


_ALL_STAFF = tuple(role for role in Role if role is not Role.TRADER)

ACTIONS: Mapping[Action, Need] = MappingProxyType(
    {
        Action.READ_OWN: Need(Scope.READ),
        Action.TRADE_OWN: Need(Scope.TRADE),
        Action.PAY_OWN: Need(Scope.PAY),
        Action.READ_CLIENTS: _staff(*_ALL_STAFF),
        Action.READ_PAYMENTS: _staff(
            Role.PAYMENTS_OFFICER, Role.COMPLIANCE_OFFICER, Role.ADMINISTRATOR
        ),
        Action.DECIDE_PAYMENTS: _staff(Role.PAYMENTS_OFFICER),
        Action.READ_RISK: _staff(
            Role.DEALER, Role.RISK_OFFICER, Role.COMPLIANCE_OFFICER, Role.ADMINISTRATOR
        ),
        Action.STOP_TRADING: _staff(Role.DEALER, Role.RISK_OFFICER),
        Action.RESUME_TRADING: _staff(Role.RISK_OFFICER),
        Action.ACKNOWLEDGE_ALERTS: _staff(
            Role.DEALER, Role.RISK_OFFICER, Role.PAYMENTS_OFFICER, Role.ADMINISTRATOR
        ),
        Action.READ_DEALING: _staff(
            Role.DEALER, Role.RISK_OFFICER, Role.COMPLIANCE_OFFICER, Role.ADMINISTRATOR
        ),
        Action.READ_LAWS: _staff(*_ALL_STAFF),
        Action.READ_AUDIT: _staff(Role.COMPLIANCE_OFFICER, Role.ADMINISTRATOR),
        Action.READ_OPERATIONS: _staff(Role.ADMINISTRATOR),
        Action.MANAGE_KEYS: _staff(Role.ADMINISTRATOR),
    }
)
"""Every action, and what it takes."""


def may(caller: Caller, action: Action) -> bool:
    """Return whether a caller may do an action; that the object is the caller's is asked there."""
    need = ACTIONS[action]
    return need.scope in caller.scopes and (not need.roles or bool(need.roles & caller.roles))


def require(caller: Caller, action: Action) -> None:
    """Refuse a caller who may not do an action.

    Raises:
        StateError: ACCESS_DENIED, with the scope and the roles of which one is asked for.

    """
    if may(caller, action):
        return
    need = ACTIONS[action]
    roles = ", ".join(sorted(need.roles))
    raise StateError(
        ErrorCode.ACCESS_DENIED,
        f'user "{caller.user_id}" may not {action.replace("_", " ")} with this key',
        why=f"It takes a key with the scope {need.scope}"
        + (f", of a user with one of the roles {roles}." if roles else "."),
        hint="Use a key that has the scope, or have the role granted.",
        facts={"action": action, "scope": need.scope, "roles": roles},
    )


def require_may_end(caller: Caller, key: ApiKey) -> None:
    """Refuse a caller whose key is to end one that can do more; every key may end itself.

    Raises:
        StateError: ACCESS_DENIED.

    """
    is_within = key.user_id == caller.user_id and caller.scopes >= set(key.scopes)
    if key.id == caller.key_id or is_within or may(caller, Action.MANAGE_KEYS):
        return
    lacking = ", ".join(sorted(set(key.scopes) - caller.scopes))
    raise StateError(
        ErrorCode.ACCESS_DENIED,
        f'user "{caller.user_id}" may not end that key with this one',
        why=f"A key ends itself, and others that can do no more than it; this one lacks {lacking}.",
        hint="Use a key with these scopes, or ask an administrator.",
        facts={"lacking": lacking},
    )
