"""How an engine takes up what was passed on before: orders and hedges of its own.

They are ones that nobody waits for: those of an engine that it took over from, and those of a
batch whose answer was lost. Another engine's are that engine's to ask about. Belongs to whoever
holds the engine's lock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg

from tradewright.core.clock import pause
from tradewright.core.errors import DatabaseError
from tradewright.postgres.connect import Session
from tradewright.trading.batch import Trading
from tradewright.trading.dispatch import Dispatcher
from tradewright.trading.hedges import HEDGE_VERSION
from tradewright.trading.house_watch import HouseRows, read_house
from tradewright.trading.state import Desk, Hedge, OrderState
from tradewright.trading.store import read_routed_versions, read_unpriced
from tradewright.trading.unbooked import Unbooked, currencies_of
from tradewright.trading.writer import SessionOpener

READ_ATTEMPTS_MAX = 300
READ_PAUSE_MS = 100

Passed = tuple[HouseRows, Mapping[str, int], Sequence[str]]
"""What the house has open, the version at which each order of a desk was passed on, and for want of
which prices people were told that accounts cannot be valued."""


def read_passed(open_session: SessionOpener, desk: Desk) -> Passed:
    """Read what was passed on of a desk, and what is the house's own, once the server is there.

    Raises:
        psycopg.Error, DatabaseError: the server has stayed away.

    """
    for attempt in range(1, READ_ATTEMPTS_MAX + 1):
        try:
            with open_session() as session, session.transaction():
                return passed_of(session, desk)
        except (psycopg.OperationalError, DatabaseError):
            if attempt == READ_ATTEMPTS_MAX:
                raise
            pause(READ_PAUSE_MS / 1000)
    raise AssertionError("the last attempt returns or raises")


def passed_of(connection: Session, desk: Desk) -> Passed:
    """Read what was passed on of a desk, and what is the house's own."""
    versions = read_routed_versions(connection, desk)
    return read_house(connection), versions, read_unpriced(connection)


@dataclass(frozen=True, slots=True)
class Recalling:
    """Asks providers about what is ours and keeps what they have answered, until it is booked."""

    trading: Trading
    dispatcher: Dispatcher
    unbooked: Unbooked

    def take_orders(self, desk: Desk, versions: Mapping[str, int]) -> None:
        """Take up the orders of a desk, read in the thread that books for their accounts."""
        passed_on = {order.order_id for order in desk.changes.routed}
        for order_id, version in versions.items():
            order = desk.orders.get(order_id)
            if order is not None and order_id not in passed_on and self._is_unknown(order):
                recalled = self.dispatcher.recall(order, version)
                self.unbooked.keep(recalled, currencies_of(order, desk))

    def take_hedges(self, rows: HouseRows) -> None:
        """Take up hedges, read in the thread that books for the house."""
        for hedge in rows[1]:
            if self._is_unknown(hedge):
                self.unbooked.keep(self.dispatcher.recall(hedge, HEDGE_VERSION))

    def forgotten(self, passed_on: Mapping[str, str]) -> dict[str, str]:
        """Return those of our orders and hedges, by account, that nobody here waits for."""
        known = self.dispatcher.order_ids | self.unbooked.order_ids
        return {key: account for key, account in passed_on.items() if key not in known}

    def _is_unknown(self, one: OrderState | Hedge) -> bool:
        """Return whether it is ours, no answer is waited for, and none waits to be booked."""
        if one.engine_id != self.trading.engine_id:
            return False
        return not (self.dispatcher.waits_for(one.id) or self.unbooked.concerns(one.id))
