"""What an engine does about other engines and processes, twice a second in a thread of its own.

It keeps its proof of life, takes over from engines that are gone, exchanges news with the others,
lets go of orders that another has taken over, asks providers to end what any other process wants
canceled, tells people of answers that cannot be booked or do not come, and keeps the last prices.
For breakers it counts what all engines have booked, and writes what they could not. Now and then it
looks for orders of its own that nobody waits for: there should be none, but one that is lost sight
of would bind its client's margin for good. `presence` is the database's side of it.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress

import psycopg

from tradewright.core.errors import DatabaseError
from tradewright.trading.breaking import BreakerKeeper
from tradewright.trading.failures import Failures
from tradewright.trading.house_commands import LookAgain
from tradewright.trading.kept_prices import KeptPrices
from tradewright.trading.news import News
from tradewright.trading.overdue import Overdue
from tradewright.trading.presence import Presence
from tradewright.trading.recalling import Recalling
from tradewright.trading.unanswered import Unanswered

BEAT_MS = 500

SEARCH_BEATS = 60
"""Beats between two searches for orders that nobody waits for: each reads what is live."""


COUNT_BEATS = 2
"""Beats between two times at which breakers count what other engines have booked."""

PRICE_BEATS = 10
"""Beats between two times at which the last prices are kept."""


class Vigil:
    """One thread, from when an engine has learnt what is open until it stops."""

    def __init__(
        self,
        known: tuple[Presence, News, Recalling, BreakerKeeper],
        lock: AbstractContextManager[object],
        propose: Callable[[Sequence[LookAgain]], object],
        failures: Failures,
    ) -> None:
        self._presence, self._news, self._recalling, self._keeper = known
        self._dispatcher = self._recalling.dispatcher
        self._overdue = Overdue(self._presence, self._recalling.unbooked, lock)
        self._unanswered = Unanswered(self._presence)
        self._prices = KeptPrices(self._presence, lock)
        self._beats = 0
        self._forgotten: set[str] = set()
        self._lock = lock
        self._propose = propose
        self._failures = failures
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="vigil", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, write what breakers did and keep the last prices; the lock stays."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self._keeper.close()
        with suppress(psycopg.Error):  # a server that is away keeps those of some seconds before
            self._prices.keep()
        self._news.close()

    def _run(self) -> None:
        while not self._stopping.wait(BEAT_MS / 1000):
            try:
                self._beat()
            except (psycopg.Error, DatabaseError):
                self._presence.let_go()  # taken again with the next beat, when the server is there
            except Exception as error:  # noqa: BLE001 (noted for who waits until all is idle)
                self._failures.note(error)

    def _beat(self) -> None:
        accounts = [*self._presence.hold(), *self._presence.take_over()]
        self._keeper.catch_up()
        self._propose([LookAgain(account_id=one) for one in dict.fromkeys(accounts)])
        self._news.exchange()
        self._compare_pending()
        self._overdue.exchange()
        with self._lock:
            awaited = self._dispatcher.awaited
        self._unanswered.exchange(awaited)
        self._beats += 1
        if self._beats % COUNT_BEATS == 0:
            self._keeper.hear()
        if self._beats % PRICE_BEATS == 0:
            self._prices.keep()
        if self._beats % SEARCH_BEATS == 0:
            self._search_forgotten()

    def _compare_pending(self) -> None:
        """Let go of what another has taken over; ask back what any process wants ended."""
        with self._lock:
            pending = self._dispatcher.pending_requests
        if not pending:
            return
        states = self._presence.states(pending.values())
        with self._lock:
            for request_id, order_id in pending.items():
                state = states.get(order_id)
                if state is None or state.engine_id != self._presence.trading.engine_id:
                    self._dispatcher.drop(request_id)
                elif state.is_cancel_wanted:
                    self._dispatcher.cancel(order_id)

    def _search_forgotten(self) -> None:
        """Take up again what was lost sight of: an order that two searches have found so."""
        passed_on = self._presence.passed_on()
        with self._lock:
            forgotten = self._recalling.forgotten(passed_on)
        found = [account for key, account in forgotten.items() if key in self._forgotten]
        self._forgotten = {*forgotten}
        self._propose([LookAgain(account_id=one) for one in dict.fromkeys(found)])
