"""The record, for staff: whether the laws hold, and what was written down of a row; and users."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from tradewright import audit
from tradewright.access import Action, Caller
from tradewright.server.http.callers import Calling, Database, allowed
from tradewright.server.http.own import user_of
from tradewright.server.http.values import Answer, Instant, Limit, text
from tradewright.trading.inquiry import list_users

router = APIRouter(prefix="/v1", tags=["record"])

LawReader = Annotated[Caller, Depends(allowed(Action.READ_LAWS))]
Auditor = Annotated[Caller, Depends(allowed(Action.READ_AUDIT))]
ClientReader = Annotated[Caller, Depends(allowed(Action.READ_CLIENTS))]


class User(Answer):
    """A user with the roles that were granted."""

    id: str
    email: str
    client_class: str
    kyc_level: int
    status: str
    roles: list[str]
    created_at: Instant


class Users(Answer):
    """Users, the newest first; `next` is the cursor of older ones, if there may be any."""

    users: list[User]
    next: str | None


class Law(Answer):
    """How many things a law was held against, and how many break it."""

    checked: int
    broken: int


class Laws(Answer):
    """Every law, by its name; `hold`: none is broken."""

    hold: bool
    laws: dict[str, Law]


class TrailEntry(Answer):
    """One entry of the trail of a row."""

    occurred_at: Instant
    source: str
    action: str
    actor: str | None
    reason: str | None
    details: dict[str, Any]


class Trail(Answer):
    """What was recorded of a row, the oldest first."""

    entries: list[TrailEntry]


@router.get("/users", summary="Users")
def users(
    _: ClientReader, session: Database, cursor: UUID | None = None, limit: Limit = 50
) -> Users:
    """List users, the newest first."""
    found = list_users(session, before=text(cursor), count_max=limit)
    rows = [User.model_validate(each) for each in found]
    return Users(users=rows, next=rows[-1].id if len(rows) == limit else None)


@router.get("/users/{user_id}", summary="A user")
def user(calling: Calling, session: Database, user_id: UUID) -> User:
    """Show the caller, or for staff another user."""
    return User.model_validate(user_of(session, calling, user_id))


@router.get("/laws", summary="Whether every law holds")
def laws(calling: LawReader, session: Database) -> Laws:
    """Hold every law against the database now; it is kept, where this server may write that."""
    results = audit.check_and_keep_laws(session, actor=calling.actor, examples_max=0)
    found = {name: Law.model_validate(one) for name, one in results.items()}
    return Laws(hold=not any(one.broken for one in found.values()), laws=found)


@router.get("/audit/{row_id}", summary="What was recorded of a row")
def trail(
    _: Auditor,
    session: Database,
    row_id: UUID,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 1_000,
) -> Trail:
    """Show the trail of a row, an order, a payment or a holder."""
    found = audit.read_trail(session, str(row_id), entries_max=limit)
    return Trail(entries=[TrailEntry.model_validate(each) for each in found])
