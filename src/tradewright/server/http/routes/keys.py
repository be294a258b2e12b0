"""Who calls, and with which keys: a user sees and ends their own, an administrator everybody's."""

from uuid import UUID

from fastapi import APIRouter

from tradewright import access, audit
from tradewright.access import Action, Caller
from tradewright.server.http.callers import Calling, Database
from tradewright.server.http.values import Answer, Body, Instant, Limit, Words

router = APIRouter(prefix="/v1", tags=["access"])


class Me(Answer):
    """Who calls, and what may be asked for."""

    user_id: str
    email: str
    roles: list[str]
    scopes: list[str]
    key_id: str
    actions: list[str]


class Key(Answer):
    """A key, without its secret."""

    id: str
    user_id: str
    name: str
    scopes: list[str]
    created_at: Instant
    expires_at: Instant | None
    last_used_at: Instant | None
    revoked_at: Instant | None
    revoked_by: str | None
    revoked_why: str | None


class Keys(Answer):
    """Keys, the newest first."""

    keys: list[Key]


class Revocation(Body):
    """Why a key is ended."""

    reason: Words


@router.get("/me", summary="Who calls")
def me(calling: Calling) -> Me:
    """Say whose key it is, and which actions it allows."""
    return Me(
        user_id=calling.user_id,
        email=calling.email,
        roles=sorted(calling.roles),
        scopes=sorted(calling.scopes),
        key_id=calling.key_id,
        actions=[str(action) for action in access.ACTIONS if access.may(calling, action)],
    )


@router.get("/keys", summary="Keys, without their secrets")
def keys(
    calling: Calling, session: Database, user_id: UUID | None = None, limit: Limit = 50
) -> Keys:
    """List the caller's keys, or those of another user for an administrator."""
    whose = str(user_id or calling.user_id)
    own = whose == calling.user_id
    access.require(calling, Action.READ_OWN if own else Action.MANAGE_KEYS)
    found = access.list_keys(session, user_id=whose, with_ended=True, count_max=limit)
    return Keys(keys=[Key.model_validate(each) for each in found])


@router.post("/keys/{key_id}/revoke", summary="End a key for ever")
def revoke(calling: Calling, session: Database, key_id: UUID, body: Revocation) -> Key:
    """End a key with its sessions: this very one, one that can do no more, any as administrator."""
    with session.transaction():
        audit.acting_as(session, calling.actor, reason=body.reason)
        key = access.find_key(session, str(key_id), user_id=_owner(calling))
        access.require_may_end(calling, key)
        ended = access.revoke_key(session, str(key_id), actor=calling.actor, reason=body.reason)
    return Key.model_validate(ended)


def _owner(calling: Caller) -> str | None:
    return None if access.may(calling, Action.MANAGE_KEYS) else calling.user_id
