"""What the server refused, said in the house's errors.

Errors are told apart by SQLSTATE, constraint name and type, never by their text. The ledger's
functions raise SQLSTATEs of class TW with DETAIL and HINT, which become *why* and *hint*. What
they refuse is listed in function_refusals, what constraints refuse in constraint_refusals.
"""

from collections.abc import Mapping
from types import MappingProxyType

import psycopg

from tradewright.core.errors import (
    DatabaseError,
    ErrorCode,
    InputError,
    RetryableError,
    StateError,
    TradewrightError,
)
from tradewright.postgres.constraint_refusals import CONSTRAINT_REFUSALS
from tradewright.postgres.constraint_words import constraint_words
from tradewright.postgres.function_refusals import FUNCTION_REFUSALS, Refusal
from tradewright.postgres.hints import HINTS

CONSTRAINT_KINDS: Mapping[str, Refusal] = MappingProxyType(
    {
        "23502": (InputError, ErrorCode.DATABASE_VALUE_REFUSED),
        "23503": (DatabaseError, ErrorCode.DATABASE_CONSTRAINT_VIOLATED),
        "23505": (DatabaseError, ErrorCode.DATABASE_CONSTRAINT_VIOLATED),
        "23514": (InputError, ErrorCode.DATABASE_VALUE_REFUSED),
        "23P01": (DatabaseError, ErrorCode.DATABASE_CONSTRAINT_VIOLATED),
    }
)
"""SQLSTATE of a kind of constraint → what it means where the name has no entry: a value that no
row may have (NOT NULL, CHECK), or rows that contradict each other (keys)."""

_STATES: Mapping[str, Refusal] = MappingProxyType(
    {
        "40001": (RetryableError, ErrorCode.DATABASE_SERIALIZATION_FAILED),
        "40P01": (RetryableError, ErrorCode.DATABASE_DEADLOCKED),
        "55P03": (RetryableError, ErrorCode.DATABASE_LOCK_TIMEOUT),
        "57P01": (DatabaseError, ErrorCode.DATABASE_CONNECTION_LOST),
        "57P02": (DatabaseError, ErrorCode.DATABASE_CONNECTION_LOST),
        "57P03": (DatabaseError, ErrorCode.DATABASE_CONNECTION_LOST),
        "57014": (DatabaseError, ErrorCode.DATABASE_TIMEOUT),
        "25P03": (DatabaseError, ErrorCode.DATABASE_TIMEOUT),
        "25P04": (DatabaseError, ErrorCode.DATABASE_TIMEOUT),
        "25006": (DatabaseError, ErrorCode.DATABASE_READ_ONLY),
        "42501": (DatabaseError, ErrorCode.DATABASE_PERMISSION_DENIED),
    },
)

_CLASSES: Mapping[str, Refusal] = MappingProxyType(
    {
        "08": (DatabaseError, ErrorCode.DATABASE_CONNECTION_LOST),
        "22": (InputError, ErrorCode.DATABASE_VALUE_REFUSED),
        "23": (DatabaseError, ErrorCode.DATABASE_CONSTRAINT_VIOLATED),
        "53": (DatabaseError, ErrorCode.DATABASE_RESOURCES_EXHAUSTED),
    },
)

_RETRYABLE_STATES = frozenset(
    state for state, (kind, _) in _STATES.items() if issubclass(kind, RetryableError)
)
_LOST_STATES = frozenset({"57P01", "57P02", "57P03"})


def translate(error: psycopg.Error) -> TradewrightError:
    """Return the house's error for what the driver raised; the caller raises it `from` that."""
    kind, code = _refusal(error)
    diagnosis = error.diag
    what, why = constraint_words(diagnosis) or (
        diagnosis.message_primary or str(error).strip() or type(error).__name__,
        diagnosis.message_detail or "",
    )
    facts = {
        "sqlstate": error.sqlstate,
        "schema": diagnosis.schema_name,
        "table": diagnosis.table_name,
        "column": diagnosis.column_name,
        "constraint": diagnosis.constraint_name,
    }
    return kind(
        code,
        what,
        why=why,
        hint=diagnosis.message_hint or HINTS.get(code, ""),
        facts={name: value for name, value in facts.items() if value is not None},
    )


def is_retryable(error: psycopg.Error) -> bool:
    """Tell whether the server rolled back for a conflict that may be over on the next attempt."""
    return error.sqlstate in _RETRYABLE_STATES


def is_connection_lost(error: psycopg.Error) -> bool:
    """Tell whether the session is gone, by SQLSTATE, or by type when the server said nothing."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError)
    return error.sqlstate in _LOST_STATES or error.sqlstate.startswith("08")


def constraint_refusal(name: str | None, state: str) -> Refusal | None:
    """Return what it means that a constraint held: by its name, else by its kind."""
    return CONSTRAINT_REFUSALS.get(name or "") or CONSTRAINT_KINDS.get(state)


def _refusal(error: psycopg.Error) -> Refusal:
    state = error.sqlstate or ""
    if state in FUNCTION_REFUSALS:
        return FUNCTION_REFUSALS[state]
    if (state, error.diag.table_name, error.diag.constraint_name) == ("23514", "audit_log", None):
        return StateError, ErrorCode.AUDIT_MONTH_MISSING  # a row that no partition takes
    held = constraint_refusal(error.diag.constraint_name, state)
    if held is not None:
        return held
    if is_connection_lost(error):
        return DatabaseError, ErrorCode.DATABASE_CONNECTION_LOST
    fallback = (DatabaseError, ErrorCode.DATABASE_STATEMENT_FAILED)
    return _STATES.get(state) or _CLASSES.get(state[:2]) or fallback
