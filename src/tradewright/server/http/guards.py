"""What every request meets first and every answer leaves by: an id, bounds, headers, a last word.

It is plain ASGI, so it holds for whatever is mounted, streams included. What nobody foresaw is told
here, so that such an answer too has its id and the headers of the house.
"""

import logging
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tradewright.core.errors import TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.server.http.bodies import read_body
from tradewright.server.http.house import HttpSettings
from tradewright.server.http.problems import problem, told_by_status, told_defect
from tradewright.server.http.works import Works

REQUEST_ID = "X-Request-Id"

ALWAYS_ANSWERED = frozenset({"/healthz", "/readyz"})
"""However much is at work."""

_LOGGER = logging.getLogger("tradewright.http")

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every answer, unless its route says otherwise."""


class Guards:
    """Gives each request an id and its place at work, bounds its body, and sets its headers."""

    def __init__(self, app: ASGIApp, settings: HttpSettings, works: Works) -> None:
        self._app = app
        self._settings = settings
        self._works = works

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = new_id_text()
        state: dict[str, Any] = scope.setdefault("state", {})
        state["request_id"] = request_id
        await self._told(scope, receive, _Answer(send, request_id))

    async def _told(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        """Serve a request when there is room for it; tell of whatever goes wrong."""
        try:
            body = await read_body(receive, Headers(scope=scope), self._settings)
            if body is None:
                return
            if scope["path"] in ALWAYS_ANSWERED:
                await self._app(scope, body, answer.tell)
            else:
                await self._at_work(scope, body, answer)
        except HTTPException as error:
            await told_by_status(Request(scope), error)(scope, receive, answer.tell)
        except Exception as error:
            _LOGGER.exception("request %s failed", answer.request_id)
            if answer.is_begun:
                raise
            await told_defect(Request(scope), error)(scope, receive, answer.tell)

    async def _at_work(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        try:
            work = self._works.begin()
        except TradewrightError as error:
            await problem(Request(scope), error)(scope, receive, answer.tell)
            return
        scope["state"]["work"] = work
        try:
            await self._app(scope, receive, answer.tell)
        finally:
            work.end()


class _Answer:
    """The answer of one request, as it goes out."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.is_begun = False

    async def tell(self, message: Message) -> None:
        """Send a part of it, the first one with the headers of the house."""
        if message["type"] == "http.response.start":
            self.is_begun = True
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers[REQUEST_ID] = self.request_id
        await self._send(message)
