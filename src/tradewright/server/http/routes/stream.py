"""The stream of a user's own events, as Server-Sent Events (WHATWG HTML, section 9.2).

Nothing is kept for a reader but its place, and what waits to be told; one that takes nothing for
WRITE_SECONDS_MAX is dropped and goes on from its last event. Events come from `following`, which
reads for all streams of the process at once; a stream asks the database itself only when it begins.
"""

import asyncio
import json
import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import psycopg
from fastapi import APIRouter, Depends, Header, Request
from fastapi.concurrency import run_in_threadpool
from psycopg_pool import PoolTimeout
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from tradewright.access import Action, Caller
from tradewright.core.errors import ErrorCode, StateError, TradewrightError
from tradewright.server.http.callers import allowed, lent
from tradewright.server.http.feed import Event, Feed, Place, read_place
from tradewright.server.http.following import Follower, Following
from tradewright.server.http.house import HttpHouse
from tradewright.server.http.values import written

if TYPE_CHECKING:
    from tradewright.server.http.works import Work

HEARTBEAT_SECONDS = 10
WRITE_SECONDS_MAX = 20
STREAMS_MAX = 200
STREAMS_OF_KEY_MAX = 5
EVENTS_TOGETHER = 100
BEGINNING_MAX = 4
"""So many streams read what they have missed at the same time; others wait for their turn."""
RETRY_MS = 1_000

_LOGGER = logging.getLogger("tradewright.http")

router = APIRouter(prefix="/v1", tags=["stream"])


@dataclass(slots=True)
class Streams:
    """Which streams run, by key, and the one reader that they share."""

    house: HttpHouse
    following: Following = field(init=False)
    beginning: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(BEGINNING_MAX))
    _running: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.following = Following(self.house)

    @property
    def count(self) -> int:
        """Return how many streams run."""
        with self._lock:
            return self._running.total()

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
        feed = Feed.opened(session, calling.user_id, place, streams.following.marks)
    return EventStream(request, streams, calling, feed)


class EventStream(Response):
    """An answer without an end: events, and between them signs of life."""

    def __init__(self, request: Request, streams: Streams, calling: Caller, feed: Feed) -> None:
        super().__init__(media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        streams.enter(calling.key_id)
        work: Work = request.state.work
        work.end()
        self._request, self._streams, self._calling, self._feed = request, streams, calling, feed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Tell events until the reader leaves, is dropped, or there is a reason to end."""
        loop, news = asyncio.get_running_loop(), asyncio.Event()
        follower = Follower(self._calling, lambda: _call_soon(loop, news.set))
        gone = asyncio.create_task(_until_gone(receive, news))
        try:
            start: Message = {
                "type": "http.response.start",
                "status": 200,
                "headers": self.raw_headers,
            }
            await send(start)
            await _write(send, f"retry: {RETRY_MS}\n\n".encode())
            await self._tell(send, _Ears(follower, news, gone))
        except TimeoutError:
            _LOGGER.warning("a reader of the stream was dropped: it took nothing in time")
        except (TradewrightError, psycopg.Error, PoolTimeout) as error:
            await _write(send, _last_word(error), is_last=True)
        finally:
            gone.cancel()
            self._streams.following.leave(follower)
            self._streams.leave(self._calling.key_id)

    async def _tell(self, send: Send, ears: "_Ears") -> None:
        await self._begin(send, ears)
        place = read_to = self._feed.place
        while not ears.gone.done():
            is_quiet = not await ears.news_within(HEARTBEAT_SECONDS)
            handed = ears.follower.take()
            events = [one for one in handed.events if one.place.txid >= read_to.txid]
            await _write_events(send, events)
            if handed.place is not None and handed.place.txid >= read_to.txid:
                place = handed.place
            if handed.ended is not None:
                raise handed.ended
            if is_quiet:
                await _write(send, _sign_of_life(place))

    async def _begin(self, send: Send, ears: "_Ears") -> None:
        """Tell what was missed, then follow, and tell what came before that was begun."""
        async with self._streams.beginning:
            while await self._read_page(send) and not ears.gone.done():
                pass
            await run_in_threadpool(self._follow, ears.follower)
            while await self._read_page(send) and not ears.gone.done():
                pass

    def _follow(self, follower: Follower) -> None:
        with lent(self._request) as session:
            self._streams.following.follow(session, follower)

    async def _read_page(self, send: Send) -> bool:
        """Tell a page of events; return whether there may be more."""
        events = await run_in_threadpool(self._read)
        await _write_events(send, events)
        return len(events) == EVENTS_TOGETHER

    def _read(self) -> list[Event]:
        with lent(self._request) as session:
            return self._feed.read(session, EVENTS_TOGETHER)


@dataclass(frozen=True, slots=True)
class _Ears:
    """What a stream listens to: its follower, its news, and whether the reader has gone."""

    follower: Follower
    news: asyncio.Event
    gone: "asyncio.Task[None]"

    async def news_within(self, seconds: float) -> bool:
        """Wait for news, or for the reader to go; return whether there are any."""
        try:
            await asyncio.wait_for(self.news.wait(), seconds)
        except TimeoutError:
            return False
        self.news.clear()
        return True


async def _until_gone(receive: Receive, news: asyncio.Event) -> None:
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
    finally:
        news.set()


def _call_soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """Have a loop call something, unless it has ended with its server."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call)


async def _write_events(send: Send, events: Sequence[Event]) -> None:
    """Write events a few at a time, so that whoever takes some of them is not dropped."""
    for begin in range(0, len(events), EVENTS_TOGETHER):
        await _write(send, b"".join(map(_line, events[begin : begin + EVENTS_TOGETHER])))


async def _write(send: Send, body: bytes, *, is_last: bool = False) -> None:
    message: Message = {"type": "http.response.body", "body": body, "more_body": not is_last}
    await asyncio.wait_for(send(message), WRITE_SECONDS_MAX)


def _line(event: Event) -> bytes:
    data = json.dumps({"occurred_at": written(event.occurred_at), **event.data})
    return f"id: {event.place}\nevent: {event.kind}\ndata: {data}\n\n".encode()


def _sign_of_life(place: Place) -> bytes:
    return f": still here\nid: {place}\n\n".encode()


def _last_word(error: Exception) -> bytes:
    """Say why the stream ends; the reader may go on from its last event."""
    code = error.code if isinstance(error, TradewrightError) else ErrorCode.DATABASE_UNREACHABLE
    return f"event: end\ndata: {json.dumps({'code': code})}\n\n".encode()
