"""The console as a router: finds the page, reads the request, and answers with HTML.

Every page is rendered whole on the server and works without script. Each answer says that nothing
from elsewhere is loaded, framed or guessed, and that nobody keeps it.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.resources import files

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from tradewright.console.desk import Desk
from tradewright.console.pages import PAGES
from tradewright.console.request import ROOT, Asked, read_request
from tradewright.core.errors import TradewrightError
from tradewright.postgres.connect import Limits
from tradewright.postgres.pool import open_pool
from tradewright.wiring import House

SESSIONS_MAX = 8
"""Sessions of the database at most: who comes when all are in use waits."""

POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'"
)
"""The Content-Security-Policy: only what this server gives, no script or style inside a page."""

_LIMITS = Limits(statement_timeout_ms=60_000, transaction_timeout_ms=90_000)
"""A page is one transaction: its slowest statement is given up before its session is ended."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_TLS_HEADERS = {"Strict-Transport-Security": "max-age=31536000"}
"""A browser that was here once over TLS comes by no other way for a year."""

_ASSETS = {
    "console.css": "text/css",
    "icon.svg": "image/svg+xml",
    "refresh.js": "text/javascript",
}
_ASSET_SECONDS = 300

_Answer = Callable[[Asked], Response]


@contextmanager
def open_console(house: House, *, is_behind_tls: bool = False) -> Iterator[APIRouter]:
    """Give the console of a house under /console; its sessions of the database end with it.

    `is_behind_tls`: a server with TLS stands in front, so cookies are for TLS alone.
    """
    with open_pool(
        house.conninfo,
        SESSIONS_MAX,
        schema=house.schema,
        autocommit=True,
        application_name="tradewright console",
        limits=_LIMITS,
    ) as pool:
        yield _router(Desk(house, pool, is_behind_tls=is_behind_tls))


def _router(desk: Desk) -> APIRouter:
    router = APIRouter()

    def add(path: str, method: str, answer: _Answer) -> None:
        router.add_route(ROOT + path, _endpoint(desk, answer), [method], include_in_schema=False)

    for name, kind in _ASSETS.items():
        add(f"/static/{name}", "GET", partial(_asset, name, kind))
    add("/sign-in", "GET", desk.show_sign_in)
    add("/sign-in", "POST", desk.sign_in)
    add("/sign-out", "POST", desk.sign_out)
    for page in PAGES:
        add(page.path, page.method.value, partial(desk.answer, page))
    add("/{path:path}", "GET", desk.show_nothing)
    return router


def _endpoint(desk: Desk, answer: _Answer) -> Callable[[Request], Awaitable[Response]]:
    headers = _HEADERS | (_TLS_HEADERS if desk.is_behind_tls else {})

    async def endpoint(request: Request) -> Response:
        try:
            asked = await read_request(request)
            response = await run_in_threadpool(answer, asked)
        except TradewrightError as error:
            response = desk.refuse(error, request.scope.get("root_path", "") + ROOT)
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response

    return endpoint


def _asset(name: str, kind: str, _asked: Asked) -> Response:
    """Return a file that pages need; it holds nothing of the house, so a browser may keep it."""
    content = files("tradewright.console").joinpath("static", name).read_bytes()
    return Response(
        content, media_type=kind, headers={"Cache-Control": f"max-age={_ASSET_SECONDS}"}
    )
