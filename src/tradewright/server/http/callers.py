"""Who calls: a program by its key, a browser by its session; what may be asked is in `access`.

Routes take `caller` for who it is and `allowed(ACTION)` for one who may do it. A session of the
console is taken from its cookie, and changes something only when the request comes from a page of
this very server.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from tradewright.access import SESSION_COOKIE, Action, Caller, identify, identify_session, require
from tradewright.core.errors import ErrorCode, StateError
from tradewright.postgres.connect import Session
from tradewright.server.http.house import house_of

if TYPE_CHECKING:
    from tradewright.server.http.rates import Buckets

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def database(request: Request) -> Iterator[Session]:
    """Lend a session of the pool, in autocommit, until the answer is made."""
    with house_of(request).pool.connection() as session:
        yield session


Database = Annotated[Session, Depends(database, scope="function")]
"""A session of the pool, in autocommit; whoever changes something opens a transaction on it."""


@contextmanager
def lent(request: Request) -> Iterator[Session]:
    """Lend a session for as long as the caller needs it, and no longer."""
    with house_of(request).pool.connection() as session:
        yield session


def caller(request: Request) -> Caller:
    """Return who calls, unless the key has asked too often.

    Raises:
        StateError: ACCESS_REQUIRED, ACCESS_KEY_REFUSED, ACCESS_SESSION_REFUSED,
            HTTP_ORIGIN_REFUSED, HTTP_RATE_EXCEEDED.

    """
    calling = identified(request)
    buckets: Buckets = request.app.state.buckets
    buckets.take(calling.key_id)
    return calling


def identified(request: Request) -> Caller:
    """Return who calls, however often; as `caller`."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        with lent(request) as session:
            return identify(session, key.strip())
    token = request.cookies.get(SESSION_COOKIE)
    if token is None:
        raise _nobody()
    if request.method not in _SAFE_METHODS:
        _require_own_page(request)
    with lent(request) as session:
        return identify_session(session, token)


Calling = Annotated[Caller, Depends(caller)]
"""Who calls, whatever that one may do."""


def allowed(action: Action) -> Callable[[Caller], Caller]:
    """Return a dependency that gives a caller who may do an action, and refuses others.

    Raises:
        StateError: ACCESS_DENIED, when it is asked.

    """

    def allowed_caller(calling: Calling) -> Caller:
        require(calling, action)
        return calling

    return allowed_caller


def _nobody() -> StateError:
    return StateError(
        ErrorCode.ACCESS_REQUIRED,
        "the request says not who asks",
        why="It has no key and no session.",
        hint="Send the header `Authorization: Bearer` with a key, or sign in to the console.",
    )


def _require_own_page(request: Request) -> None:
    """Refuse what another site lets a browser send.

    Browsers say where a request comes from: Sec-Fetch-Site, or else the Origin.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin", "")
    is_own = site == "same-origin" if site else urlsplit(origin).netloc == request.url.netloc
    if not is_own:
        raise StateError(
            ErrorCode.HTTP_ORIGIN_REFUSED,
            "a page of another site asks for a change",
            why=f'It comes from "{site or origin or "an unknown place"}".',
            hint="Ask from the console itself, or with a key.",
        )
