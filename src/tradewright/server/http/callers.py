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
from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.postgres.connect import Session
from tradewright.server.http.house import SAFE_METHODS, house_of

if TYPE_CHECKING:
    from tradewright.access.rates import KeyRates, Strangers
    from tradewright.server.http.works import Work


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
    """Return who calls, unless the key asks too often, or for what the route does not know.

    Raises:
        StateError: ACCESS_REQUIRED, ACCESS_KEY_REFUSED, ACCESS_SESSION_REFUSED,
            HTTP_ORIGIN_REFUSED, HTTP_RATE_EXCEEDED, HTTP_REQUESTS_EXCEEDED.
        InputError: HTTP_REQUEST_MALFORMED.

    """
    calling = _identified(request)
    rates: KeyRates = request.app.state.rates
    rates.take(calling.key_id)
    work: Work = request.state.work
    work.belongs_to(calling.key_id)
    _require_known_parameters(request)
    return calling


def _identified(request: Request) -> Caller:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return _admitted(request, key.strip(), identify)
    token = request.cookies.get(SESSION_COOKIE)
    if token is None:
        raise _nobody()
    if request.method not in SAFE_METHODS:
        _require_own_page(request)
    return _admitted(request, token, identify_session)


def _admitted(request: Request, shown: str, who: Callable[[Session, str], Caller]) -> Caller:
    """Return whose key or session it is that is shown; the database is not asked by strangers."""
    strangers: Strangers = request.app.state.strangers
    address = request.client.host if request.client else ""
    strangers.admit(address, shown)
    try:
        with lent(request) as session:
            calling = who(session, shown)
    except StateError:
        strangers.refused(address, shown)
        raise
    strangers.known(shown)
    return calling


def _require_known_parameters(request: Request) -> None:
    """Refuse a parameter that the route does not know, or one that is given twice."""
    route = request.scope["route"]
    described = request.app.openapi()["paths"][route.path_format][request.method.lower()]
    known = {each["name"] for each in described.get("parameters", ()) if each["in"] == "query"}
    named = [name for name, _ in request.query_params.multi_items()]
    unknown = sorted({name for name in named if name not in known or named.count(name) > 1})
    if unknown:
        raise InputError(
            ErrorCode.HTTP_REQUEST_MALFORMED,
            f'the parameter "{unknown[0][:80]}" is not known here, or given twice',
            why=f"The route takes {', '.join(sorted(known)) or 'no parameter'}, each once.",
            hint="Correct it: what is misspelt is never passed over.",
            facts={f"query.{name[:80]}": "not known here, or given twice" for name in unknown[:20]},
        )


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
    here = request.url.netloc
    is_own = site == "same-origin" if site else here != "" and urlsplit(origin).netloc == here
    if not is_own:
        raise StateError(
            ErrorCode.HTTP_ORIGIN_REFUSED,
            "a page of another site asks for a change",
            why=f'It comes from "{site or origin or "an unknown place"}".',
            hint="Ask from the console itself, or with a key.",
        )
