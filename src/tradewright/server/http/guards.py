"""What every request meets first and every answer leaves by: an id, bounds, headers, a last word.

It is plain ASGI, so it holds for whatever is mounted, streams included. What nobody foresaw is told
here, so that such an answer too has its id and the headers of the house.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tradewright.core.clock import monotonic_seconds
from tradewright.core.errors import TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.server.http.house import HttpSettings
from tradewright.server.http.problems import problem, told_defect
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
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["request_id"] = request_id
        bounded = _bounded(receive, Headers(scope=scope), self._settings)
        await self._told(scope, bounded, _Answer(send, request_id))

    async def _told(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        """Serve a request when there is room for it; tell of whatever goes wrong."""
        try:
            if scope["path"] in ALWAYS_ANSWERED:
                await self._app(scope, receive, answer.tell)
            else:
                await self._at_work(scope, receive, answer)
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


def _bounded(
    receive: Receive, headers: Headers, settings: HttpSettings
) -> Callable[[], Awaitable[Message]]:
    """Return what reads a body up to bounds of size and time, whatever length it says to have."""
    bytes_max = left = settings.body_bytes_max
    is_declared_too_large = _length(headers) > bytes_max
    ends_at, is_whole = 0.0, False

    async def read() -> Message:
        nonlocal left, ends_at, is_whole
        if is_whole:
            return await receive()
        if is_declared_too_large:
            raise _too_large(bytes_max)
        ends_at = ends_at or monotonic_seconds() + settings.body_seconds
        try:
            message = await asyncio.wait_for(receive(), max(ends_at - monotonic_seconds(), 0))
        except TimeoutError:
            raise _too_slow(settings.body_seconds) from None
        is_whole = not message.get("more_body", False)
        left -= len(message.get("body", b""))
        if left < 0:
            raise _too_large(bytes_max)
        return message

    return read


def _length(headers: Headers) -> float:
    declared = headers.get("content-length", "0")
    return int(declared) if declared.isdigit() else float("inf")


def _too_large(bytes_max: int) -> HTTPException:
    return HTTPException(413, f"At most {bytes_max} bytes are read.")


def _too_slow(seconds: float) -> HTTPException:
    return HTTPException(
        408,
        f"The body was not there within {seconds:g} seconds.",
        headers={"Connection": "close"},
    )
