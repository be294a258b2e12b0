"""What all engines of the house have dealt and heard, as breakers count it: read once a second.

Each engine counts its own batches at once. What the others have booked stands in the database: the
last seconds of it are added up there by seconds, and what is more than was known of a second is
counted. So a batch that commits late is counted, and nothing twice. Read only while another engine
is there and such a breaker is set up, on a session of its own; belongs to the thread of the vigil.
`breaking` compares.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import psycopg
from msgspec import Struct

from tradewright.core.errors import DatabaseError
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.risk.breakers import BreakerKind
from tradewright.trading.batch import Trading
from tradewright.trading.writer import SessionOpener

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_NOTHING = Decimal(0)

_Known = dict[tuple[datetime, BreakerKind, str, str], Decimal]
"""How much was counted in a second for a kind of breakers, in which symbol, under which name."""


class Counted(Struct, frozen=True):
    """What was counted for a kind of breakers: in which symbol, under which name, how much."""

    kind: BreakerKind
    symbol: str
    name: str
    amount: Decimal


class HouseCounts:
    """What is known of the last seconds, and the session by which it is read."""

    def __init__(self, open_session: SessionOpener, trading: Trading) -> None:
        self._open_session = open_session
        self._trading = trading
        self._known: _Known = {}
        self._manager: AbstractContextManager[Session] | None = None
        self._session: Session | None = None

    def news(self) -> list[Counted]:
        """Return what has been booked since it was asked last, by whichever engine.

        What cannot be read now is read with the next call, if that comes within some seconds.
        """
        reference = self._trading.reference
        if len(reference.engines) < 2 or not reference.breakers.counted:
            self._known = {}
            return []
        try:
            rows = self._connected().execute(
                load_queries("tradewright.trading")["counted_by_the_house"]
            )
            read = {(row[0], BreakerKind(row[1]), row[2], row[3]): row[4] for row in rows}
        except (psycopg.Error, DatabaseError):
            self.close()
            return []
        before, self._known = self._known, read
        return list(_more(before, read))

    def close(self) -> None:
        """Close the session; the next call opens another."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _connected(self) -> Session:
        if self._session is None:
            self._manager = self._open_session()
            self._session = self._manager.__enter__()
        return self._session


def _more(before: _Known, read: _Known) -> Iterator[Counted]:
    """Give what is more than was known of each second."""
    for key, amount in read.items():
        more = amount - before.get(key, _NOTHING)
        if more > 0:
            _, kind, symbol, name = key
            yield Counted(kind, symbol, name, more)
