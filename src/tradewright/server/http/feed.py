"""Events of users in an order that never changes, read on from any place without gap or double.

Rows become visible when their transaction commits, which is not in the order of their times or
numbers. So only transactions are read below which none runs any more, in the order of their
numbers: whatever commits later stands behind. One that runs for long holds the stream up, as it
does the seals; our own end after a minute.

Read `following` for the one reader that all streams of a process share, and a `Feed` for how one
stream comes to where that reader is.

A place is the key of the last event, and since when rows need be looked at: all transactions that
are not told yet began after that.
"""

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from tradewright.core.clock import monotonic_seconds
from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

PLACE_AGE_MAX = timedelta(days=7)
"""What is older is asked for by the lists of orders and payments."""

_RUNNING_MAX = timedelta(minutes=2)
"""At the start: a transaction that runs then began so long ago at most, or its rows are missed."""

MARK_SECONDS = 1.0
_MARKS_MAX = 1_000

_SLACK = timedelta(seconds=2)
"""A row may be stamped before its transaction has a number."""

_PLACE = re.compile(
    r"([0-9a-f]{8})\.([0-9]{1,18})\.([0-9])\.([0-9a-f-]{0,36})\.([0-9]{1,18})\.([0-9]{1,17})"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Behind which event a stream goes on; `database` tells one from others and its copies."""

    database: str
    txid: int
    source: int
    about: str
    seq: int
    since: datetime

    def __str__(self) -> str:
        since = (self.since - _EPOCH) // _MICROSECOND
        return f"{self.database}.{self.txid}.{self.source}.{self.about}.{self.seq}.{since}"


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a user, and the place behind it."""

    user_id: str
    place: Place
    kind: str
    occurred_at: datetime
    data: dict[str, Any]


def read_place(text: str) -> Place:
    """Return the place that a reader names.

    Raises:
        InputError: HTTP_REQUEST_MALFORMED.

    """
    found = _PLACE.fullmatch(text)
    if found is None:
        raise InputError(
            ErrorCode.HTTP_REQUEST_MALFORMED,
            f'"{text[:80]}" is no place in a stream',
            why="A place is the id of an event that was read.",
            hint="Send the last id as the header Last-Event-ID, or none.",
        )
    database, txid, source, about, seq, since = found.groups()
    return Place(
        database, int(txid), int(source), about, int(seq), _EPOCH + int(since) * _MICROSECOND
    )


@dataclass(slots=True)
class Marks:
    """Numbers of transactions with the times at which they were given; of a process, for all feeds.

    A snapshot does not say which number is the next, so one is taken every MARK_SECONDS.
    """

    _marks: deque[tuple[int, datetime]] = field(default_factory=lambda: deque(maxlen=_MARKS_MAX))
    _marked_at: float = float("-inf")
    _lock: Lock = field(default_factory=Lock)

    def note(self, session: Session) -> None:
        """Take a number, if the last was taken long enough ago."""
        with self._lock:
            is_due = monotonic_seconds() - self._marked_at >= MARK_SECONDS
            if is_due:
                self._marked_at = monotonic_seconds()
        if is_due:
            query = load_queries("tradewright.server.http")["stream_mark"]
            mark = session.execute(query).fetchone()
            with self._lock:
                self._marks.append(mark or (0, _EPOCH))

    def since(self, horizon: int) -> datetime:
        """Return a time before which no transaction from the horizon on had its number."""
        with self._lock:
            return max((at for txid, at in self._marks if txid < horizon), default=_EPOCH)

    def behind(
        self, place: Place, bounds: "Bounds", events: Sequence["Event"], count_max: int
    ) -> Place:
        """Return where to go on behind a page of events; one that is not full is the last."""
        if len(events) == count_max:
            return events[-1].place
        since = max(place.since, self.since(bounds.horizon))
        return Place(bounds.database, bounds.horizon, 0, "", 0, since)


@dataclass(slots=True)
class Feed:
    """Reads a user's events from a place on; belongs to one reader."""

    user_id: str
    place: Place
    marks: Marks

    @classmethod
    def opened(cls, session: Session, user_id: str, place: Place | None, marks: Marks) -> "Feed":
        """Return a feed from a place on, or from now on.

        Raises:
            StateError: HTTP_PLACE_REFUSED when the place is too old, or of another server.

        """
        bounds = read_bounds(session)
        if place is None:
            return cls(user_id, bounds.place(), marks)
        is_too_old = place.since < bounds.now - PLACE_AGE_MAX
        if is_too_old or place.txid > bounds.xmax or place.database != bounds.database:
            raise _refused(place)
        return cls(user_id, place, marks)

    def read(self, session: Session, count_max: int) -> list[Event]:
        """Return the next events, and go on behind them; fewer than asked for: all there are."""
        self.marks.note(session)
        bounds = read_bounds(session)
        events = read_events(session, [self.user_id], self.place, bounds, count_max)
        self.place = self.marks.behind(self.place, bounds, events, count_max)
        return events


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far may be read: below the horizon no transaction runs; xmax: all that have ended."""

    now: datetime
    horizon: int
    xmax: int
    database: str

    def place(self) -> Place:
        """Return the place from which on everything is to come."""
        return Place(self.database, self.horizon, 0, "", 0, self.now - _RUNNING_MAX)


def read_bounds(session: Session) -> Bounds:
    """Return how far may be read now."""
    row = session.execute(load_queries("tradewright.server.http")["stream_horizon"]).fetchone()
    if row is None:
        raise AssertionError("a query without a table gives a row")
    return Bounds(*row)


def read_events(
    session: Session, user_ids: Sequence[str], place: Place, bounds: Bounds, count_max: int
) -> list[Event]:
    """Return the next events of users behind a place, up to bounds that were read before."""
    asked = {
        "user_ids": list(user_ids),
        "txid": place.txid,
        "source": place.source,
        "about": place.about,
        "seq": place.seq,
        "since": place.since - _SLACK,
        "horizon": bounds.horizon,
        "xmax": bounds.xmax,
        "count_max": count_max,
    }
    query = load_queries("tradewright.server.http")["stream_events"]
    return [
        Event(
            row[0],
            Place(place.database, row[1], row[2], row[3], row[4], place.since),
            row[5],
            row[6],
            row[7],
        )
        for row in session.execute(query, asked)
    ]


def _refused(place: Place) -> StateError:
    return StateError(
        ErrorCode.HTTP_PLACE_REFUSED,
        "the stream cannot go on from that place",
        why=f"It is of {place.since:%Y-%m-%d %H:%M} UTC: older than {PLACE_AGE_MAX.days} days, or "
        "of another database than this one, such as that which it was restored from.",
        hint="Read orders and payments by their lists, then follow the stream without a place.",
    )
