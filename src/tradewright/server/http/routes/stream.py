"""The stream of a user's own events, as Server-Sent Events (WHATWG HTML, section 9.2).

Nothing is kept for a reader but its place: a reader that is slow is waited for, and one that takes
nothing for WRITE_SECONDS_MAX is dropped and goes on from its last event. The database is asked by
a thread, POLL_SECONDS after the last time; between, a stream holds no session.
"""

import asyncio
import json
import logging
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

import psycopg
from fastapi import APIRouter, Depends, Header, Request
from fastapi.concurrency import run_in_threadpool
from psycopg_pool import PoolTimeout
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from tradewright.access import Action, Caller
from tradewright.core.clock import monotonic_seconds
from tradewright.core.errors import ErrorCode, StateError, TradewrightError
from tradewright.server.http.callers import allowed, identified, lent
from tradewright.server.http.feed import Event, Feed, Marks, read_place
from tradewright.server.http.house import house_of
from tradewright.server.http.values import written

POLL_SECONDS = 0.5
HEARTBEAT_SECONDS = 10
IDENTIFY_SECONDS = 15
"""A stream whose key was revoked ends within this time."""
WRITE_SECONDS_MAX = 20
STREAMS_MAX = 200
STREAMS_OF_KEY_MAX = 5
EVENTS_TOGETHER = 100
RETRY_MS = 1_000

_LOGGER = logging.getLogger("tradewright.http")

router = APIRouter(prefix="/v1", tags=["stream"])


@dataclass(slots=True)
class Streams:
    """Which streams run, by key, and what their feeds share."""

    marks: Marks = field(default_factory=Marks)
    _running: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, key_id: str) -> None:
        """Count a stream that begins.

        Raises:
            StateError: HTTP_STREAMS_EXCEEDED.

        """
        with self._lock:
            mine, all_ = self._running[key_id], self._running.total()
            if mine < STREAMS_OF_KEY_MAX and all_ < STREAMS_MAX:
                self._running[key_id] += 1
                return
        raise StateError(
            ErrorCode.HTTP_STREAMS_EXCEEDED,
            f"{mine} streams run for this key, {all_} in all",
            why=f"A key has {STREAMS_OF_KEY_MAX} at most, and a server {STREAMS_MAX}.",
            hint="End one first; one stream tells of all accounts of its user.",
            facts={"retry_after_seconds": 10},
        )

    def leave(self, key_id: str) -> None:
        """Count a stream that has ended."""
        with self._lock:
            self._running[key_id] -= 1
            self._running += Counter()


@router.get(
    "/stream",
    summary="The caller's own events as they come",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
def stream(
    request: Request,
    calling: Annotated[Caller, Depends(allowed(Action.READ_OWN))],
    last_event_id: Annotated[
        str | None, Header(description="Go on behind this event; without it from now on.")
    ] = None,
) -> Response:
    """Tell of the caller's orders, margin calls and payments, each event once and in order."""
    streams: Streams = request.app.state.streams
    place = read_place(last_event_id) if last_event_id else None
    with lent(request) as session:
        feed = Feed.opened(session, calling.user_id, place, streams.marks)
    streams.enter(calling.key_id)
    return EventStream(_Reader(request, feed), lambda: streams.leave(calling.key_id))


@dataclass(slots=True)
class _Reader:
    """Reads for one stream, in a thread, and asks now and then whether its key is still good."""

    request: Request
    feed: Feed
    identified_at: float = field(default_factory=monotonic_seconds)

    def read(self) -> list[Event]:
        """Return the next events.

        Raises:
            TradewrightError: the key is good no more, or the server stops.
            psycopg.Error, PoolTimeout: the database is away.

        """
        if house_of(self.request).stopping.is_set():
            raise _stopping()
        if monotonic_seconds() - self.identified_at > IDENTIFY_SECONDS:
            identified(self.request)
            self.identified_at = monotonic_seconds()
        with lent(self.request) as session:
            return self.feed.read(session, EVENTS_TOGETHER)


class EventStream(Response):
    """An answer without an end: events, and between them signs of life."""

    def __init__(self, reader: _Reader, on_left: Callable[[], None]) -> None:
        super().__init__(media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._reader = reader
        self._on_left = on_left

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Tell events until the reader leaves, is dropped, or there is a reason to end."""
        gone = asyncio.create_task(_until_gone(receive))
        try:
            start: Message = {
                "type": "http.response.start",
                "status": 200,
                "headers": self.raw_headers,
            }
            await send(start)
            await _write(send, f"retry: {RETRY_MS}\n\n".encode())
            await self._tell(send, gone)
        except TimeoutError:
            _LOGGER.warning("a reader of the stream was dropped: it took nothing in time")
        finally:
            gone.cancel()
            self._on_left()

    async def _tell(self, send: Send, gone: "asyncio.Task[None]") -> None:
        told_at = monotonic_seconds()
        while not gone.done():
            try:
                events = await run_in_threadpool(self._reader.read)
            except (TradewrightError, psycopg.Error, PoolTimeout) as error:
                await _write(send, _last_word(error), is_last=True)
                return
            if events:
                await _write(send, b"".join(map(_line, events)))
                told_at = monotonic_seconds()
            elif monotonic_seconds() - told_at > HEARTBEAT_SECONDS:
                await _write(send, f": still here\nid: {self._reader.feed.place}\n\n".encode())
                told_at = monotonic_seconds()
            if len(events) < EVENTS_TOGETHER:
                await asyncio.wait([gone], timeout=POLL_SECONDS)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(send: Send, body: bytes, *, is_last: bool = False) -> None:
    message: Message = {"type": "http.response.body", "body": body, "more_body": not is_last}
    await asyncio.wait_for(send(message), WRITE_SECONDS_MAX)


def _line(event: Event) -> bytes:
    data = json.dumps({"occurred_at": written(event.occurred_at), **event.data})
    return f"id: {event.place}\nevent: {event.kind}\ndata: {data}\n\n".encode()


def _last_word(error: Exception) -> bytes:
    """Say why the stream ends; the reader may go on from its last event."""
    code = error.code if isinstance(error, TradewrightError) else ErrorCode.DATABASE_UNREACHABLE
    return f"event: end\ndata: {json.dumps({'code': code})}\n\n".encode()


def _stopping() -> StateError:
    return StateError(
        ErrorCode.SERVER_STOPPING,
        "the server stops",
        why="It was told to.",
        hint="Follow the stream again from the last event.",
    )
