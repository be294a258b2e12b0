"""Who lives: an engine shows it by a lock, and takes over from those that show it no more.

An engine writes itself down once for each start and holds an advisory lock by its id on a session
of its own. The lock ends with the session: at kill -9 at once, without any timer. Whoever finds it
free takes over the orders and hedges that the engine has with providers. Doing so counts the
reference version, so it waits for the batches under way, and each batch after it knows that
nothing is booked as that engine any more (decision 031).

A lock that is free proves nothing when the server itself has restarted or our own session was lost
with it: those who come back get a moment to take theirs again. Belongs to one thread at a time.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from psycopg import Notify

from tradewright.core.errors import DatabaseError, ErrorCode
from tradewright.core.ids import new_id_text
from tradewright.liquidity.board import Top
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.trading.batch import Trading
from tradewright.trading.house_commands import HOUSE
from tradewright.trading.writer import SessionOpener

EVERYTHING = "*"
"""Told when an engine was taken over from: it may not have told its last."""

GRACE = timedelta(seconds=5)
"""How long engines that lost their locks with the server are given to take them again."""


@dataclass(frozen=True, slots=True)
class RoutedState:
    """Whose an order with a provider is by the database, and whether its end is wanted."""

    engine_id: str | None
    is_cancel_wanted: bool


@dataclass(slots=True)
class Presence:
    """An engine's row and lock; `trading` is told under which id its batches book.

    `may_have_missed` says that other engines may have changed what nobody has told or we not heard:
    our session was lost, or an engine is gone.
    """

    open_session: SessionOpener
    trading: Trading
    providers: Iterable[str]
    may_have_missed: bool = False
    _session: Session | None = None
    _manager: AbstractContextManager[Session] | None = None
    _since: datetime | None = field(default=None)
    _gone: set[tuple[str, datetime]] = field(default_factory=set)
    _schema: str = ""
    _heard: list[Notify] = field(default_factory=list)

    def hold(self) -> list[str]:
        """Hold the lock; return accounts of ours that batches may have changed unseen.

        There are such only after the session was lost; HOUSE stands for the house.

        Raises:
            psycopg.Error, DatabaseError: the server is away, or another session has the lock.

        """
        if self._session is not None:
            return []
        self._manager = self.open_session()
        session = self._manager.__enter__()
        try:
            session.add_notify_handler(self._heard.append)
            self._execute(session, "notice_lost_engines")
            self._execute(session, "hear_engines")
            self._schema = self._execute(session, "own_schema")[0][0]
            unseen = self._enter(session)
        except BaseException:
            session.close()
            raise
        self._session, self.may_have_missed = session, True
        return unseen

    def let_go(self) -> None:
        """Close the session, and with it give up the lock."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def take_over(self) -> list[str]:
        """Take over from engines that are gone; return the accounts whose orders are ours now.

        Raises:
            psycopg.Error: the session was lost; it is to be let go.

        """
        asked = {"providers": sorted(self.providers), "since": self._since, "grace": GRACE}
        rows = self._ask("engines_gone", {"id": self.trading.engine_id, **asked})
        gone = {(engine_id, since) for engine_id, since, _ in rows}
        self.may_have_missed |= not gone <= self._gone
        self._gone = gone
        taken: set[str] = set()
        for engine_id, since, is_reached in rows:
            if is_reached:
                with self._there.transaction():
                    taken.update(self._take_over_from(engine_id, since))
        return sorted(taken)

    def tell(self, texts: Sequence[str]) -> None:
        """Tell the other engines of this schema something."""
        if texts:
            self._ask("tell_engines", {"texts": texts})

    def hear(self) -> list[str]:
        """Return what other engines have told since it was asked last."""
        heard, self._heard[:] = [*self._heard], []
        told: list[str] = []
        for one in heard:
            schema, _, text = one.payload.partition(" ")
            if schema != self._schema or one.pid == self._there.info.backend_pid:
                continue
            if text == EVERYTHING:
                self.may_have_missed = True
            else:
                told.append(text)
        return told

    def reference_version(self) -> int:
        """Return the version of the reference data as it is now."""
        version: int = self._ask("reference_version", {})[0][0]
        return version

    def accounts_at_risk(self) -> list[str]:
        """Return every account with something that may be watched."""
        return [row[0] for row in self._ask("accounts_at_risk", {})]

    def passed_on(self) -> dict[str, str]:
        """Return our orders and hedges that are with providers, and whose they are."""
        rows = self._ask("passed_on_orders", {"id": self.trading.engine_id, "house": HOUSE})
        return dict(rows)

    def states(self, order_ids: Iterable[str]) -> dict[str, RoutedState]:
        """Return how the database has orders and hedges that are with providers."""
        rows = self._ask("routed_states", {"ids": sorted(set(order_ids))})
        return {row[0]: RoutedState(row[1], row[2]) for row in rows}

    def tell_overdue(self, waiting: Mapping[str, str]) -> None:
        """Raise an alert for each order or hedge whose answers wait; what stands in the way."""
        asked = {"order_ids": [*waiting], "whys": [*waiting.values()]}
        self._ask("raise_overdue_answers", asked)

    def tell_booked(self, order_ids: Iterable[str]) -> None:
        """Note that answers which people were told of are booked."""
        self._ask("resolve_overdue_answers", {"order_ids": sorted(order_ids)})

    def tell_unanswered(self, waiting: Sequence[tuple[str, str]]) -> None:
        """Raise an alert for each order or hedge that waits for a provider, by its code."""
        orders, providers = [one[0] for one in waiting], [one[1] for one in waiting]
        self._ask("raise_unanswered", {"order_ids": orders, "providers": providers})

    def end_unanswered(self) -> int:
        """Note which orders and hedges no longer wait; return of how many people are still told."""
        return int(self._ask("resolve_unanswered", {})[0][0])

    def keep_prices(self, tops: Mapping[str, Top]) -> None:
        """Keep the last prices of some symbols, unless our session is lost."""
        if self._session is None:
            return
        asked = {
            "symbols": [*tops],
            "bids": [top.bid for top in tops.values()],
            "asks": [top.ask for top in tops.values()],
            "times": [top.quoted_at for top in tops.values()],
        }
        self._ask("keep_prices", asked)

    def _enter(self, session: Session) -> list[str]:
        """Take the lock of the engine as it was, or write a new one down if that was taken over."""
        known = self.trading.engine_id
        if known is None:
            self._since = self._execute(session, "server_started_at")[0][0]
            self._begin(session)
            return []
        is_held = self._execute(session, "try_engine_lock", {"id": known})[0][0]
        self._since = self._execute(session, "server_now")[0][0]
        if not (is_held and self._execute(session, "return_engine", {"id": known})):
            if self._is_still_locked(session, known):
                raise _still_locked(known)
            self._begin(session)
        asked = {"id": self.trading.engine_id}
        rows = self._execute(session, "accounts_with_routed_orders", asked)
        return [HOUSE, *(row[0] for row in rows)]

    def _is_still_locked(self, session: Session, known: str) -> bool:
        """Tell whether an engine's own lost session has its lock yet.

        Whoever may only read may hold a lock that was free, and shows nothing by it: then we write
        ourselves down anew, and take over from the engine that we were.
        """
        if self._execute(session, "engine_is_taken_over", {"id": known})[0][0]:
            return False
        return bool(self._execute(session, "engine_is_held", {"id": known})[0][0])

    def _begin(self, session: Session) -> None:
        """Lock before the row can be seen: whoever sees it without a lock takes over."""
        engine_id = new_id_text()
        self._execute(session, "try_engine_lock", {"id": engine_id})
        providers = sorted(self.providers)
        self._execute(session, "add_engine", {"id": engine_id, "providers": providers})
        self.trading.engine_id = engine_id

    def _take_over_from(self, engine_id: str, present_since: datetime) -> list[str]:
        """Write it down first: that waits for the batches under way, and lets none begin."""
        asked = {"id": engine_id, "successor_id": self.trading.engine_id}
        if not self._ask("take_over_engine", {**asked, "present_since": present_since}):
            return []
        self._ask("tell_engines", {"texts": [EVERYTHING]})
        self.may_have_missed = True
        accounts = [row[0] for row in self._ask("take_over_orders", asked)]
        return [HOUSE, *accounts] if self._ask("take_over_hedges", asked) else accounts

    @property
    def _there(self) -> Session:
        if self._session is None:
            raise AssertionError("an engine asks only while it holds its lock")
        return self._session

    def _ask(self, query: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        return self._execute(self._there, query, parameters)

    def _execute(
        self, session: Session, query: str, parameters: Mapping[str, object] | None = None
    ) -> list[tuple[Any, ...]]:
        cursor = session.execute(load_queries("tradewright.trading")[query], parameters)
        return cursor.fetchall() if cursor.description is not None else []


def _still_locked(engine_id: str) -> DatabaseError:
    """Return what keeps an engine from showing that it lives."""
    return DatabaseError(
        ErrorCode.DATABASE_LOCK_TIMEOUT,
        f'the lock of engine "{engine_id}" is held by another session',
        why="The server has not noticed yet that the session before was lost.",
        hint="Wait until it has; it looks for that each 25 seconds.",
        facts={"engine_id": engine_id},
    )
