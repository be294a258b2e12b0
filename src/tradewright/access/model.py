"""Values of access: roles, scopes, actions, keys, and who calls."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What a user is to the house; granted with `tradewright users grant`."""

    TRADER = "trader"
    DEALER = "dealer"
    RISK_OFFICER = "risk_officer"
    PAYMENTS_OFFICER = "payments_officer"
    COMPLIANCE_OFFICER = "compliance_officer"
    ADMINISTRATOR = "administrator"


class Scope(StrEnum):
    """What a key is for: the first three in its user's own accounts, the last by its roles."""

    READ = "read"
    TRADE = "trade"
    PAY = "pay"
    STAFF = "staff"


class Action(StrEnum):
    """What a caller may ask for; who may is in `rules`."""

    READ_OWN = "read_own"
    TRADE_OWN = "trade_own"
    PAY_OWN = "pay_own"
    READ_CLIENTS = "read_clients"
    READ_PAYMENTS = "read_payments"
    DECIDE_PAYMENTS = "decide_payments"
    READ_RISK = "read_risk"
    STOP_TRADING = "stop_trading"
    RESUME_TRADING = "resume_trading"
    ACKNOWLEDGE_ALERTS = "acknowledge_alerts"
    READ_DEALING = "read_dealing"
    READ_LAWS = "read_laws"
    READ_AUDIT = "read_audit"
    READ_OPERATIONS = "read_operations"
    MANAGE_KEYS = "manage_keys"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept: everything but its secret."""

    id: str
    user_id: str
    email: str
    name: str
    scopes: list[str]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None
    revoked_why: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTerms:
    """What a key that is to be made is for; without an end it is good until it is revoked."""

    name: str
    scopes: frozenset[Scope]
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made; `secret` is what its user is given, and nobody can read it again.

    It is left out of what is printed of this value.
    """

    key: ApiKey
    secret: str

    def __repr__(self) -> str:
        return f"NewKey(key={self.key!r}, secret=...)"


@dataclass(frozen=True, slots=True)
class NewSession:
    """A browser that was just let in: `token` is for its cookie, and is kept nowhere else."""

    caller: "Caller"
    token: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"NewSession(caller={self.caller!r}, token=..., expires_at={self.expires_at!r})"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: an active user, by which key, and by which session if it is a browser."""

    user_id: str
    email: str
    roles: frozenset[str]
    scopes: frozenset[str]
    key_id: str
    session_id: str | None = None

    @property
    def actor(self) -> str:
        """Return the name under which what is done for the caller is recorded."""
        return f"user:{self.user_id}"
