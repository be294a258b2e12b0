"""Who may do what from outside: keys, sessions of the console, and the one table of rights.

Read `model` for roles, scopes and actions, `rules` for who may do which, and `service` for how
keys are made and refused and how a browser is let in. Faces ask here and decide nothing themselves.
"""

from tradewright.access.model import (
    Action,
    ApiKey,
    Caller,
    KeyTerms,
    NewKey,
    NewSession,
    Role,
    Scope,
)
from tradewright.access.rules import ACTIONS, may, require, require_may_end
from tradewright.access.service import (
    SESSION_COOKIE,
    SESSION_HOURS_MAX,
    SESSION_IDLE_MINUTES_MAX,
    create_key,
    end_session,
    find_key,
    good_among,
    identify,
    identify_session,
    list_keys,
    refused,
    revoke_key,
    start_session,
)

__all__ = [
    "ACTIONS",
    "SESSION_COOKIE",
    "SESSION_HOURS_MAX",
    "SESSION_IDLE_MINUTES_MAX",
    "Action",
    "ApiKey",
    "Caller",
    "KeyTerms",
    "NewKey",
    "NewSession",
    "Role",
    "Scope",
    "create_key",
    "end_session",
    "find_key",
    "good_among",
    "identify",
    "identify_session",
    "list_keys",
    "may",
    "refused",
    "require",
    "require_may_end",
    "revoke_key",
    "start_session",
]
