"""How an engine learns what others have booked: it reads the accounts, and locks none of them.

A lock would let each of its batches wait for the other engine's. So what is read may be older than
what our own batches have taught the watchers meanwhile: accounts of such batches are read again
with the next look. It has a session of its own: one that fails must not take the engine's proof of
life along. `news` says where to look. Belongs to the thread of the vigil.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import date
from itertools import islice

import psycopg

from tradewright.core.errors import DatabaseError
from tradewright.core.trading_day import last_ended_day
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.trading.batch import Trading
from tradewright.trading.house_store import read_exposures, read_open_hedges
from tradewright.trading.house_watch import HouseWatch
from tradewright.trading.model import EndReducing
from tradewright.trading.order_rows import order_from_row
from tradewright.trading.reference import Reference, reference_version, refreshed
from tradewright.trading.state import Desk
from tradewright.trading.store import read_desk
from tradewright.trading.watch import Watchers
from tradewright.trading.writer import SessionOpener

HOUSE_LOOKS = 2
"""Looks at the house when it has changed beside the batches: the last one while none is booked."""

LOOKS_MAX = 100
"""Accounts with one beat while those who book for them watch them too: it takes of our time."""

FOUND_MAX = 1_000
"""Accounts with one beat for which perhaps nobody watches."""


class Looking:
    """The accounts that wait to be looked at, and the house."""

    def __init__(
        self,
        open_session: SessionOpener,
        trading: Trading,
        watchers: Watchers,
        house: HouseWatch,
        lock: AbstractContextManager[object],
    ) -> None:
        self._open_session = open_session
        self._trading = trading
        self._watchers = watchers
        self._house = house
        self._lock = lock
        self._waiting: dict[str, None] = {}
        self._unwatched: dict[str, None] = {}
        self._house_looks = 0
        self._house_seen = 0
        self._manager: AbstractContextManager[Session] | None = None
        self._session: Session | None = None

    def add(self, account_ids: Iterable[str]) -> None:
        """Let accounts be looked at that another engine has changed, and watches."""
        self._waiting.update(dict.fromkeys(account_ids))

    def find(self, account_ids: Iterable[str]) -> None:
        """Let accounts be looked at, before all others, for which perhaps nobody watches."""
        self._unwatched.update(dict.fromkeys(account_ids))

    def look_at_house(self) -> None:
        """Let the exposure be read that something else than our batches has changed."""
        self._house_looks = HOUSE_LOOKS

    def refresh(self, version: int) -> None:
        """Learn reference data that has changed, though nothing is booked that would read it.

        What cannot be read now is read with the next beat, or the next batch.
        """
        try:
            if version != self._trading.reference.version:
                session = self._connected()
                with session.transaction():
                    self._read_reference(session)
        except (psycopg.Error, DatabaseError):
            self.close()
        self._trading.teach_market()
        with self._lock:
            self._watchers.learn_terms(self._trading.reference)

    def look(self) -> list[EndReducing]:
        """Teach the watchers what others have done; return what that sets off.

        What cannot be read now waits for the next look.
        """
        try:
            if self._house_looks or len(self._trading.reference.engines) > 1:
                self._look_at_house(self._connected())
            return self._look_at_accounts()
        except (psycopg.Error, DatabaseError):
            self.close()
            return []

    def _look_at_house(self, session: Session) -> None:
        """Learn the exposure and the hedges that are open; they are few.

        What a batch of ours commits meanwhile may count twice until it is read again: where nobody
        else books, that is done until none has come between two looks.
        """
        asked, dealt = self._house_looks, self._house.dealt_count
        nets, hedges = read_exposures(session), read_open_hedges(session)
        with self._lock:
            self._house.hear(nets, hedges)
        is_quiet, self._house_seen = dealt == self._house_seen, dealt
        if asked and self._house_looks == asked:
            self._house_looks = 0 if asked == 1 and is_quiet else 1

    def _look_at_accounts(self) -> list[EndReducing]:
        """Learn what has become of some accounts that wait."""
        soon, later = islice(self._unwatched, FOUND_MAX), islice(self._waiting, LOOKS_MAX)
        account_ids = list(dict.fromkeys([*soon, *later]))
        if not account_ids:
            return []
        with self._lock:
            resting = self._watchers.begin_look(account_ids)
        session = self._connected()
        with session.transaction():
            desk = self._read(session, account_ids, resting)
        for account_id in account_ids:
            self._unwatched.pop(account_id, None)
            self._waiting.pop(account_id, None)
        with self._lock:
            touched = self._watchers.end_look()
            _leave_out(desk, touched)
            proposals = self._watchers.look(desk)
        self.add(account_id for account_id in account_ids if account_id in touched)
        return proposals

    def close(self) -> None:
        """Close the session; the next look opens another."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _connected(self) -> Session:
        if self._session is None:
            self._manager = self._open_session()
            self._session = self._manager.__enter__()
        return self._session

    def _read_reference(self, session: Session) -> Reference:
        """Return the reference data, which cannot change until the transaction ends."""
        known = self._trading.reference
        self._trading.reference = refreshed(session, known, reference_version(session))
        return self._trading.reference

    def _read(self, session: Session, account_ids: list[str], resting: list[str]) -> Desk:
        """Return the accounts on a desk, with orders that were known to rest and do no more."""
        trading, reference = self._trading, self._read_reference(session)
        desk = read_desk(session, reference, trading.market, account_ids)
        ended = [order_id for order_id in resting if order_id not in desk.orders]
        if ended:
            rows = session.execute(
                load_queries("tradewright.trading")["orders_named"], {"ids": ended}
            )
            for row in rows:
                desk.orders.setdefault(row[0], order_from_row(row, reference.instruments[row[3]]))
        day = last_ended_day(trading.market.now)
        desk.unrolled = {one for one in desk.accounts if trading.rolled.get(one, date.min) < day}
        return desk


def _leave_out(desk: Desk, account_ids: set[str]) -> None:
    """Take what belongs to some accounts off a desk."""
    for account_id in account_ids:
        desk.accounts.pop(account_id, None)
    desk.unrolled -= account_ids
    desk.stuck -= account_ids
    for order in [one for one in desk.orders.values() if one.account_id in account_ids]:
        del desk.orders[order.id]
