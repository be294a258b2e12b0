"""The body of a request, read whole before anything is begun for it.

A place at work is so never held by who sends slowly, and what an app reads is there already. Bounds
of size and time hold whatever length the head says.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from tradewright.server.http.house import HttpSettings

_JSON = "application/json"
_NAMES_TOLD_MAX = 64


async def read_body(receive: Receive, headers: Headers, settings: HttpSettings) -> Receive | None:
    """Return what gives an app the body, and then what else comes; None if who asks has left.

    Raises:
        HTTPException: 413 when it is too large, 408 when it was not there in time, 400 when it is
            JSON that names one field twice: readers differ in which of the two they take.

    """
    bytes_max = settings.body_bytes_max
    if _length(headers) > bytes_max:
        raise _too_large(bytes_max)
    try:
        async with asyncio.timeout_at(_now() + settings.body_seconds):
            body = await _read(receive, bytes_max)
    except TimeoutError:
        raise _too_slow(settings.body_seconds) from None
    if body is None:
        return None
    if body and headers.get("content-type", _JSON).startswith(_JSON):
        _refuse_doubled(body)
    return _given(body, receive)


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _read(receive: Receive, bytes_max: int) -> bytes | None:
    parts, size, is_more = list[bytes](), 0, True
    while is_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > bytes_max:
            raise _too_large(bytes_max)
        is_more = message.get("more_body", False)
    return b"".join(parts)


def _given(body: bytes, receive: Receive) -> Receive:
    is_given = False

    async def give() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return give


def _refuse_doubled(body: bytes) -> None:
    """Refuse JSON with a name twice in one object; what is no JSON is told by who reads it."""
    try:
        json.loads(body, object_pairs_hook=_once_each)
    except (ValueError, RecursionError):
        return


def _once_each(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) < len(pairs):
        names = [name for name, _ in pairs]
        doubled = next(name for name in names if names.count(name) > 1)
        raise HTTPException(400, f"The body names {doubled[:_NAMES_TOLD_MAX]!r} twice.")
    return named


def _length(headers: Headers) -> float:
    declared = headers.get("content-length", "0")
    return int(declared) if declared.isascii() and declared.isdecimal() else float("inf")


def _too_large(bytes_max: int) -> HTTPException:
    return HTTPException(413, f"At most {bytes_max} bytes are read.", {"Connection": "close"})


def _too_slow(seconds: float) -> HTTPException:
    return HTTPException(
        408,
        f"The body was not there within {seconds:g} seconds.",
        headers={"Connection": "close"},
    )
