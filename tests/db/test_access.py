"""Keys and sessions in the database: made, shown, refused, ended."""

from datetime import timedelta

import psycopg
import pytest

from tests.conftest import OpenSession
from tests.web import key_of, new_user
from tradewright.access import (
    KeyTerms,
    Scope,
    create_key,
    end_session,
    find_key,
    good_among,
    identify,
    identify_session,
    list_keys,
    revoke_key,
    start_session,
)
from tradewright.core.clock import utc_now
from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.core.ids import new_id_text
from tradewright.postgres.connect import Session
from tradewright.postgres.refusals import translate
from tradewright.trading.standing import reinstate_user, suspend_user


@pytest.fixture
def user(engine: Session) -> str:
    return new_user(engine, "trader", "dealer")


def id_in(key: str) -> str:
    digits = key[4:36]
    parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    return "-".join(parts)


def refused(session: Session, key: str) -> bool:
    try:
        identify(session, key)
    except StateError as error:
        return error.code is ErrorCode.ACCESS_KEY_REFUSED
    return False


def age(session: Session, table: str, by: str, *columns: str) -> None:
    """Let time have passed in rows that keep their times."""
    moved = ", ".join(f"{column} = {column} - interval '{by}'" for column in columns)
    session.execute("SET session_replication_role = replica")
    session.execute(f"UPDATE {table} SET {moved}".encode())
    session.execute("SET session_replication_role = origin")


def test_a_key_says_whose_it_is_with_roles_and_scopes(engine: Session, user: str) -> None:
    caller = identify(engine, key_of(engine, user, [Scope.TRADE, Scope.READ]))
    assert caller.user_id == user
    assert caller.roles == {"trader", "dealer"}
    assert caller.scopes == {"read", "trade"}
    assert caller.actor == f"user:{user}"


def test_the_database_holds_nothing_by_which_a_key_could_be_shown(
    engine: Session, user: str
) -> None:
    key = key_of(engine, user)
    (row,) = engine.execute("SELECT to_jsonb(k)::text FROM api_keys AS k").fetchall()
    assert key[-64:] not in row[0]
    assert bytes.fromhex(key[-64:]) not in row[0].encode()


def test_a_key_with_another_secret_is_refused(engine: Session, user: str) -> None:
    key = key_of(engine, user)
    forged = key[:-1] + ("0" if key[-1] != "0" else "1")
    assert refused(engine, forged)
    assert refused(engine, "twk_" + "0" * 96)
    assert refused(engine, "")
    assert not refused(engine, key)


def test_a_revoked_key_is_refused_and_so_are_its_sessions(engine: Session, user: str) -> None:
    key, other = key_of(engine, user), key_of(engine, user)
    session, kept = start_session(engine, key), start_session(engine, other)
    ended = revoke_key(engine, id_in(key), actor="anna", reason="lost")
    assert (ended.revoked_by, ended.revoked_why) == ("anna", "lost")
    assert refused(engine, key)
    with pytest.raises(StateError) as caught:
        identify_session(engine, session.token)
    assert caught.value.code is ErrorCode.ACCESS_SESSION_REFUSED
    assert identify_session(engine, kept.token).user_id == user


def test_a_key_is_revoked_once(engine: Session, user: str) -> None:
    key_id = id_in(key_of(engine, user))
    revoke_key(engine, key_id, actor="anna", reason="lost")
    with pytest.raises(psycopg.Error) as caught:
        revoke_key(engine, key_id, actor="ben", reason="again")
    assert translate(caught.value).code is ErrorCode.ACCESS_KEY_REVOKED
    assert find_key(engine, key_id).revoked_by == "anna"


def test_the_keys_of_a_suspended_user_do_nothing_until_the_user_is_reinstated(
    engine: Session, user: str
) -> None:
    key = key_of(engine, user)
    token = start_session(engine, key).token
    suspend_user(engine, user)
    assert refused(engine, key)
    with pytest.raises(StateError):
        identify_session(engine, token)
    reinstate_user(engine, user)
    assert not refused(engine, key)


def test_a_suspended_user_is_given_no_key(engine: Session, user: str) -> None:
    suspend_user(engine, user)
    with pytest.raises(StateError) as caught:
        key_of(engine, user)
    assert caught.value.code is ErrorCode.USER_NOT_ACTIVE


def test_a_key_that_is_past_its_end_is_refused(engine: Session, user: str) -> None:
    made = create_key(
        engine,
        user,
        KeyTerms(
            name="short",
            scopes=frozenset({Scope.READ}),
            expires_at=utc_now() + timedelta(hours=1),
        ),
        actor="anna",
        reason="asked",
    )
    assert not refused(engine, made.secret)
    age(engine, "api_keys", "2 hours", "created_at", "expires_at")
    assert refused(engine, made.secret)


@pytest.mark.parametrize(
    ("name", "scopes", "ends_in"),
    [
        ("", ["read"], 1),
        ("x" * 65, ["read"], 1),
        ("a\nb", ["read"], 1),
        ("x", [], 1),
        ("x", [], -1),
    ],
)
def test_a_malformed_key_is_not_made(
    engine: Session, user: str, name: str, scopes: list[str], ends_in: int
) -> None:
    with pytest.raises(InputError) as caught:
        create_key(
            engine,
            user,
            KeyTerms(
                name=name,
                scopes=frozenset(Scope(each) for each in scopes),
                expires_at=utc_now() + timedelta(hours=ends_in),
            ),
            actor="anna",
            reason="asked",
        )
    assert caught.value.code is ErrorCode.ACCESS_KEY_MALFORMED
    assert list_keys(engine, user_id=user, with_ended=True) == []


def test_a_use_is_noted_once_a_minute(engine: Session, user: str) -> None:
    key = key_of(engine, user)
    assert find_key(engine, id_in(key)).last_used_at is None
    identify(engine, key)
    first = find_key(engine, id_in(key)).last_used_at
    identify(engine, key)
    assert find_key(engine, id_in(key)).last_used_at == first
    age(engine, "api_key_uses", "2 minutes", "last_used_at")
    identify(engine, key)
    assert first is not None
    assert (find_key(engine, id_in(key)).last_used_at or first) > first


def test_who_cannot_note_a_use_is_let_in_all_the_same(
    engine: Session, open_session: OpenSession, user: str
) -> None:
    key = key_of(engine, user)
    reader = open_session()
    reader.execute("SET default_transaction_read_only = on")
    assert identify(reader, key).user_id == user
    assert find_key(engine, id_in(key)).last_used_at is None


def test_a_session_ends_when_it_is_left(engine: Session, user: str) -> None:
    token = start_session(engine, key_of(engine, user)).token
    caller = identify_session(engine, token)
    assert (caller.user_id, caller.session_id) == (user, id_in(token))
    end_session(engine, token)
    end_session(engine, token)
    with pytest.raises(StateError):
        identify_session(engine, token)


def test_nobody_ends_a_session_by_its_id_alone(engine: Session, user: str) -> None:
    token = start_session(engine, key_of(engine, user)).token
    end_session(engine, token[:36] + "0" * 64)
    assert identify_session(engine, token).user_id == user


@pytest.mark.parametrize(
    ("by", "columns"),
    [("31 minutes", ["last_used_at"]), ("13 hours", ["created_at", "expires_at"])],
    ids=["idle", "old"],
)
def test_a_session_ends_when_it_is_idle_and_when_it_is_old(
    engine: Session, user: str, by: str, columns: list[str]
) -> None:
    token = start_session(engine, key_of(engine, user)).token
    age(engine, "console_sessions", by, *columns)
    with pytest.raises(StateError) as caught:
        identify_session(engine, token)
    assert caught.value.code is ErrorCode.ACCESS_SESSION_REFUSED


def test_a_session_that_is_used_does_not_become_idle(engine: Session, user: str) -> None:
    token = start_session(engine, key_of(engine, user)).token
    for _ in range(3):
        age(engine, "console_sessions", "20 minutes", "last_used_at")
        assert identify_session(engine, token).user_id == user


@pytest.mark.parametrize(
    "change",
    [
        "ended_at = NULL, ended_why = NULL",
        "token_hash = sha256('x')",
        "expires_at = expires_at + interval '1 minute'",
        "last_used_at = last_used_at - interval '1 minute'",
    ],
)
def test_a_session_that_has_ended_is_never_opened_again_nor_changed(
    engine: Session, user: str, change: str
) -> None:
    end_session(engine, start_session(engine, key_of(engine, user)).token)
    with pytest.raises(psycopg.Error) as caught:
        engine.execute(f"UPDATE console_sessions SET {change}".encode())
    assert caught.value.sqlstate == "TW010"


def test_an_unknown_key_is_not_revoked(engine: Session) -> None:
    with pytest.raises(InputError) as caught:
        revoke_key(engine, new_id_text(), actor="anna", reason="lost")
    assert caught.value.code is ErrorCode.ACCESS_KEY_UNKNOWN


def test_keys_and_sessions_that_last_are_told_from_those_that_ended(
    engine: Session, user: str
) -> None:
    other = new_user(engine, "trader")
    good, lost, idle = (key_of(engine, each) for each in (user, user, user))
    gone = key_of(engine, other)
    token = start_session(engine, idle).token
    callers = [identify(engine, each) for each in (good, lost, gone)]
    callers.append(identify_session(engine, token))
    assert good_among(engine, set(callers)) == set(callers)
    suspend_user(engine, other)
    revoke_key(engine, id_in(lost), actor="anna", reason="lost")
    age(engine, "console_sessions", "31 minutes", "created_at", "last_used_at", "expires_at")
    assert good_among(engine, set(callers)) == {callers[0]}


def test_to_look_on_uses_a_key_and_leaves_a_session_idle(engine: Session, user: str) -> None:
    key = key_of(engine, user)
    browser = identify_session(engine, start_session(engine, key).token)
    program = identify(engine, key)
    age(engine, "console_sessions", "5 minutes", "last_used_at")
    age(engine, "api_key_uses", "5 minutes", "last_used_at")
    query = "SELECT c.last_used_at, k.last_used_at FROM console_sessions AS c, api_key_uses AS k"
    (before,) = engine.execute(query).fetchall()
    assert good_among(engine, {browser}) == {browser}
    assert engine.execute(query).fetchone() == before
    assert good_among(engine, {program}) == {program}
    (after,) = engine.execute(query).fetchall()
    assert after[0] == before[0]
    assert after[1] > before[1]
