"""What every request meets first and every answer leaves by: an id, a bound body, headers.

It is plain ASGI, so it holds for whatever is mounted, streams included.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tradewright.core.ids import new_id_text

REQUEST_ID = "X-Request-Id"

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
    """Gives each request an id, bounds its body, and sets the headers of its answer."""

    def __init__(self, app: ASGIApp, body_bytes_max: int) -> None:
        self._app = app
        self._body_bytes_max = body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = new_id_text()
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["request_id"] = request_id
        bounded = _bounded(receive, Headers(scope=scope), self._body_bytes_max)
        await self._app(scope, bounded, _with_headers(send, request_id))


def _bounded(receive: Receive, headers: Headers, bytes_max: int) -> Receive:
    """Return what reads a body up to a bound, whatever length it says to have."""
    declared = headers.get("content-length", "0")
    is_declared_too_large = not declared.isdigit() or int(declared) > bytes_max
    left = bytes_max

    async def read() -> Message:
        nonlocal left
        if is_declared_too_large:
            raise _too_large(bytes_max)
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise _too_large(bytes_max)
        return message

    return read


def _too_large(bytes_max: int) -> HTTPException:
    return HTTPException(413, f"At most {bytes_max} bytes are read.")


def _with_headers(send: Send, request_id: str) -> Callable[[Message], Awaitable[None]]:
    async def tell(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers[REQUEST_ID] = request_id
        await send(message)

    return tell
