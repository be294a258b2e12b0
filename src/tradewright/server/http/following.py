"""One reader of events for all streams of a process: what it finds is handed to whom it is of.

A thread looks at the database every POLL_SECONDS while anybody follows, and hands each follower the
events of its own user, and how far was read. A follower takes them in its own time; one for whom
more than WAITING_MAX wait is ended, and holds nobody up. What is asked for is who may still read:
all keys and sessions in one query, every IDENTIFY_SECONDS.

A stream that goes on from an old place reads by a `Feed` of its own until it is here. It follows
first and reads to the end afterwards, so that the end lies behind the place from which on it is
handed everything; what it was handed twice has the number of a transaction that it has read.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tradewright.access import Caller, good_among, refused
from tradewright.core.clock import monotonic_seconds
from tradewright.core.errors import DatabaseError, ErrorCode, StateError, TradewrightError
from tradewright.postgres.connect import Session
from tradewright.server.http.feed import Event, Marks, Place, read_bounds, read_events
from tradewright.server.http.house import HttpHouse

POLL_SECONDS = 0.5
IDENTIFY_SECONDS = 5.0
"""A stream whose key was revoked ends within this time."""
EVENTS_TOGETHER = 500
WAITING_MAX = 1_000

_LOGGER = logging.getLogger("tradewright.http")


@dataclass(frozen=True, slots=True)
class Handed:
    """What waited for a follower: events, how far was read with them, and why it ends if so."""

    events: Sequence[Event]
    place: Place | None
    ended: TradewrightError | None


@dataclass(slots=True, eq=False)
class Follower:
    """Who follows; `wake` is called by any thread when something was handed over."""

    caller: Caller
    wake: Callable[[], None]
    _events: deque[Event] = field(default_factory=deque)
    _place: Place | None = None
    _ended: TradewrightError | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hand(self, events: Sequence[Event], place: Place) -> None:
        """Hand events over, behind all that were handed before."""
        with self._lock:
            is_too_slow = len(self._events) + len(events) > WAITING_MAX
            if self._ended is None and not is_too_slow:
                self._events += events
                self._place = place
        if is_too_slow:
            self.end(_too_slow())
        elif events:
            self.wake()

    def end(self, why: TradewrightError) -> None:
        """Hand nothing more over; what still waits is for the next stream to read."""
        with self._lock:
            self._ended = self._ended or why
            self._events.clear()
        self.wake()

    def take(self) -> Handed:
        """Return what waits, and forget it."""
        with self._lock:
            handed = Handed(tuple(self._events), self._place, self._ended)
            self._events.clear()
        return handed


@dataclass(slots=True)
class Following:
    """The reader of a process, and who follows; its thread runs while anybody does."""

    house: HttpHouse
    marks: Marks = field(default_factory=Marks)
    _followers: set[Follower] = field(default_factory=set)
    _place: Place | None = None
    _is_running: bool = False
    _identified_at: float = float("-inf")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def follow(self, session: Session, follower: Follower) -> None:
        """Hand a follower everything from now on; what it reads afterwards lies behind that."""
        bounds = read_bounds(session)
        with self._lock:
            self._followers.add(follower)
            if not self._is_running:
                self._is_running, self._place = True, bounds.place()
                threading.Thread(target=self._run, name="stream reader", daemon=True).start()

    def leave(self, follower: Follower) -> None:
        """Hand a follower nothing more."""
        with self._lock:
            self._followers.discard(follower)

    def _run(self) -> None:
        while self._goes_on():
            if self.house.stopping.is_set():
                self._end(_stopping())
                continue
            try:
                with self.house.pool.connection() as session:
                    self._ask_who_may(session)
                    is_whole = self._read(session)
            except Exception as error:
                _LOGGER.exception("the events of streams could not be read")
                self._end(_lost(error))
                is_whole = True
            if is_whole:
                self.house.stopping.wait(POLL_SECONDS)

    def _goes_on(self) -> bool:
        """Return whether anybody follows; if not, whoever comes next begins anew."""
        with self._lock:
            self._is_running = bool(self._followers)
            return self._is_running

    def _read(self, session: Session) -> bool:
        """Hand over what was committed since; return whether that was all.

        The bounds come before the followers: whoever comes later reads up to later bounds.
        """
        self.marks.note(session)
        bounds = read_bounds(session)
        with self._lock:
            followers, place = tuple(self._followers), self._place or bounds.place()
        found: dict[str, list[Event]] = {each.caller.user_id: [] for each in followers}
        events = read_events(session, list(found), place, bounds, EVENTS_TOGETHER)
        for event in events:
            found[event.user_id].append(event)
        behind = self.marks.behind(place, bounds, events, EVENTS_TOGETHER)
        for each in followers:
            each.hand(found[each.caller.user_id], behind)
        with self._lock:
            self._place = behind
        return len(events) < EVENTS_TOGETHER

    def _ask_who_may(self, session: Session) -> None:
        if monotonic_seconds() - self._identified_at < IDENTIFY_SECONDS:
            return
        with self._lock:
            followers = tuple(self._followers)
        good = good_among(session, {each.caller for each in followers})
        for each in followers:
            if each.caller not in good:
                self.leave(each)
                each.end(refused(each.caller))
        self._identified_at = monotonic_seconds()

    def _end(self, why: TradewrightError) -> None:
        """End everybody; they go on from their last events, here or elsewhere."""
        with self._lock:
            followers = tuple(self._followers)
            self._followers.clear()
        for each in followers:
            each.end(why)


def _too_slow() -> StateError:
    return StateError(
        ErrorCode.HTTP_STREAM_TOO_SLOW,
        f"more than {WAITING_MAX} events wait for the reader",
        why="It takes them more slowly than they come.",
        hint="Follow the stream again from the last event, and read without a pause.",
    )


def _stopping() -> StateError:
    return StateError(
        ErrorCode.SERVER_STOPPING,
        "the server stops",
        why="It was told to.",
        hint="Follow the stream again from the last event.",
    )


def _lost(error: Exception) -> DatabaseError:
    return DatabaseError(
        ErrorCode.DATABASE_UNREACHABLE,
        "the events could not be read",
        why=f"The database says: {error}.",
        hint="Follow the stream again from the last event.",
    )
