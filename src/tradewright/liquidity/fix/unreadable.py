"""Telling people of an execution that cannot be read: it was dealt, and nothing is booked."""

import logging
from collections import deque
from dataclasses import dataclass, field

import psycopg

from tradewright.core.errors import TradewrightError
from tradewright.liquidity.fix.application import TRADES, request_id_of
from tradewright.liquidity.fix.codec import Message
from tradewright.liquidity.fix.store import SessionOpener
from tradewright.postgres.queries import load_queries

_SHOWN = 100
"""So much of a name is shown: what cannot be read may be of any length."""

_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Unreadable:
    """The executions of a provider that could not be read and of which nobody was told yet."""

    open_session: SessionOpener
    provider: str
    _waiting: deque[dict[str, str]] = field(default_factory=deque)

    def note(self, message: Message, why: str) -> None:
        """Let people be told of a report, if it is one of an execution."""
        if message.get(150) not in TRADES:
            return
        execution_id = (message.text(17) or message.text(37))[:_SHOWN]
        request_id = request_id_of(message)[:_SHOWN]
        facts = {"execution_id": execution_id, "request_id": request_id, "why": why[:_SHOWN]}
        self._waiting.append({"provider": self.provider, **facts})

    def tell(self) -> None:
        """Raise an alert of each; what cannot be written now is written the next time."""
        if not self._waiting:
            return
        try:
            with self.open_session() as session, session.transaction():
                for facts in self._waiting:
                    session.execute(_raise_unreadable(), facts)
            self._waiting.clear()
        except (psycopg.Error, TradewrightError) as error:
            _LOG.warning("a report of %s could not be told of yet: %s", self.provider, error)


def _raise_unreadable() -> str:
    return load_queries("tradewright.liquidity.fix")["raise_unreadable_report"]
