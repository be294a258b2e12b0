"""How keys are made, shown and refused, and how a browser is let in with one.

Everything works in the caller's transaction, but that a use is noted, which never waits for long
and is left out when it cannot be done. Whatever is wrong with a key, the answer is the same: who
tries keys learns nothing of which exist.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import psycopg

from tradewright.access import store, tokens
from tradewright.access.model import ApiKey, Caller, KeyTerms, NewKey, NewSession, Scope
from tradewright.access.store import Holder
from tradewright.access.tokens import Secret
from tradewright.core.clock import utc_now
from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.postgres.connect import Session

SESSION_HOURS_MAX = 12
"""A session ends so long after it began, however much it is used."""

SESSION_IDLE_MINUTES_MAX = 30
"""A session that is not used for so long has ended."""

SESSION_COOKIE = "tradewright_session"
"""The cookie in which a browser keeps the token of its session."""

_NAME_LENGTH_MAX = 64


def create_key(
    connection: Session, user_id: str, terms: KeyTerms, *, actor: str, reason: str
) -> NewKey:
    """Make a key for an active user; its secret is in what is returned and nowhere else.

    Raises:
        InputError: ACCESS_KEY_MALFORMED.
        StateError: USER_NOT_ACTIVE.

    """
    _require_terms(terms)
    secret = tokens.new_secret(tokens.KEY)
    row = {
        "id": secret.id,
        "user_id": user_id,
        "name": terms.name,
        "scopes": sorted(terms.scopes, key=list(Scope).index),
        "secret_hash": secret.hash,
        "created_by": actor,
        "reason": reason,
        "expires_at": terms.expires_at,
    }
    if not store.insert_key(connection, row):
        raise _not_active(user_id)
    return NewKey(find_key(connection, secret.id), secret.text)


def list_keys(
    connection: Session,
    *,
    user_id: str | None = None,
    with_ended: bool = False,
    count_max: int = 100,
) -> list[ApiKey]:
    """Return keys that are good, or all, of a user or of everybody; the newest first."""
    return store.read_keys(connection, user_id=user_id, with_ended=with_ended, count_max=count_max)


def find_key(connection: Session, key_id: str, *, user_id: str | None = None) -> ApiKey:
    """Return a key by its id; with `user_id` only one of that user.

    Raises:
        InputError: ACCESS_KEY_UNKNOWN.

    """
    found = store.read_keys(
        connection, key_id=key_id, user_id=user_id, with_ended=True, count_max=1
    )
    if not found:
        raise InputError(
            ErrorCode.ACCESS_KEY_UNKNOWN,
            f'key "{key_id}" does not exist',
            why="A key is found by its id, which is not its secret.",
            hint="List them with `tradewright keys list`.",
            facts={"key": key_id},
        )
    return found[0]


def revoke_key(connection: Session, key_id: str, *, actor: str, reason: str) -> ApiKey:
    """End a key for ever, and each session that was opened with it.

    Raises:
        InputError: ACCESS_KEY_UNKNOWN, ACCESS_KEY_MALFORMED when nobody or no reason is named.
        psycopg.Error: ACCESS_KEY_REVOKED, if it was revoked before.

    """
    find_key(connection, key_id)
    store.insert_revocation(connection, key_id, actor=actor, reason=reason)
    return find_key(connection, key_id)


def identify(connection: Session, text: str) -> Caller:
    """Return who shows a key, and note that it is used; the session is in autocommit.

    Raises:
        StateError: ACCESS_KEY_REFUSED, whatever is wrong with it.

    """
    shown = tokens.read_secret(tokens.KEY, text)
    holder = None if shown is None else store.read_key_holder(connection, shown.id)
    if shown is None or holder is None or not _is_good(shown, holder):
        raise _key_refused()
    if holder.is_use_due:
        _note(connection, store.note_use_of_key, shown.id)
    return _caller(holder)


def start_session(connection: Session, key: str) -> NewSession:
    """Let a browser in with a key; the session is in autocommit.

    Raises:
        StateError: ACCESS_KEY_REFUSED.

    """
    caller = identify(connection, key)
    made = tokens.new_secret(tokens.SESSION)
    expires_at = store.insert_session(
        connection,
        session_id=made.id,
        key_id=caller.key_id,
        token_hash=made.hash,
        lasting=timedelta(hours=SESSION_HOURS_MAX),
    )
    return NewSession(_with_session(caller, made.id), made.text, expires_at)


def identify_session(connection: Session, token: str, *, is_use: bool = True) -> Caller:
    """Return whose browser shows a token, and note that it is used; as `identify`.

    `is_use`: somebody has done something; a page that looks again by itself keeps no session up.

    Raises:
        StateError: ACCESS_SESSION_REFUSED, whatever is wrong with it.

    """
    shown, holder = _session_of(connection, token)
    if shown is None or holder is None or not _is_good(shown, holder):
        raise _session_refused()
    if is_use and holder.is_use_due:
        _note(connection, store.note_use_of_session, shown.id)
    return _with_session(_caller(holder), shown.id)


def good_among(connection: Session, callers: AbstractSet[Caller]) -> set[Caller]:
    """Return the callers whose keys, sessions and users are good still; that a key lasts is a use.

    A session is not used by it: whoever only looks on leaves it idle. In autocommit, as `identify`.
    """
    found = store.read_good(
        connection,
        key_ids={each.key_id for each in callers},
        session_ids={each.session_id for each in callers if each.session_id is not None},
        idle=timedelta(minutes=SESSION_IDLE_MINUTES_MAX),
    )
    good = {each for each in callers if (each.session_id or each.key_id) in found}
    for key_id in {each.key_id for each in good if found[each.session_id or each.key_id]}:
        _note(connection, store.note_use_of_key, key_id)
    return good


def refused(caller: Caller) -> StateError:
    """Return what is told of a key or session that was good and is so no more."""
    return _key_refused() if caller.session_id is None else _session_refused()


def end_session(connection: Session, token: str) -> None:
    """End the session of a browser that leaves; one that has ended already stays as it is."""
    shown, holder = _session_of(connection, token)
    if shown is not None and holder is not None and tokens.matches(shown, holder.hash):
        store.end_session(connection, shown.id)


def _session_of(connection: Session, token: str) -> tuple[Secret | None, Holder | None]:
    shown = tokens.read_secret(tokens.SESSION, token)
    if shown is None:
        return None, None
    idle = timedelta(minutes=SESSION_IDLE_MINUTES_MAX)
    return shown, store.read_session_holder(connection, shown.id, idle)


def _is_good(shown: Secret, holder: Holder) -> bool:
    return tokens.matches(shown, holder.hash) and holder.is_good


def _caller(holder: Holder) -> Caller:
    return Caller(
        user_id=holder.user_id,
        email=holder.email,
        roles=frozenset(holder.roles),
        scopes=frozenset(holder.scopes),
        key_id=holder.key_id,
    )


def _with_session(caller: Caller, session_id: str) -> Caller:
    return replace(caller, session_id=session_id)


def _note(connection: Session, note: Callable[[Session, str], None], row_id: str) -> None:
    """Note a use; whoever may not write, or would have to wait for long, is let in all the same."""
    with suppress(psycopg.Error), connection.transaction():
        note(connection, row_id)


def _key_refused() -> StateError:
    return StateError(
        ErrorCode.ACCESS_KEY_REFUSED,
        "the key is refused",
        why="It is unknown, revoked or expired, or its user is not active.",
        hint="Have a new key made with `tradewright keys create`.",
    )


def _session_refused() -> StateError:
    return StateError(
        ErrorCode.ACCESS_SESSION_REFUSED,
        "the session has ended",
        why=f"It was left, or not used for {SESSION_IDLE_MINUTES_MAX} minutes, or is older "
        f"than {SESSION_HOURS_MAX} hours, or its key or user is good no more.",
        hint="Sign in again with a key.",
    )


def _require_terms(terms: KeyTerms) -> None:
    name, ends = terms.name, terms.expires_at
    if not 0 < len(name) <= _NAME_LENGTH_MAX or not name.isprintable():
        raise _malformed(f'"{name[:_NAME_LENGTH_MAX]}" is no name of a key', "1 to 64 characters")
    if not terms.scopes:
        raise _malformed("a key has no scope", f"one or more of {', '.join(Scope)}")
    if ends is not None and ends <= utc_now():
        raise _malformed(f"a key would end at {ends:%Y-%m-%d %H:%M}", "a time to come")


def _not_active(user_id: str) -> StateError:
    return StateError(
        ErrorCode.USER_NOT_ACTIVE,
        f'user "{user_id}" is not active and is given no key',
        why="Only an active user acts from outside.",
        hint="See the user with `tradewright users show`.",
        facts={"user": user_id},
    )


def _malformed(what: str, allowed: str) -> InputError:
    return InputError(
        ErrorCode.ACCESS_KEY_MALFORMED,
        what,
        why=f"It takes {allowed}.",
        hint="Give that.",
    )
