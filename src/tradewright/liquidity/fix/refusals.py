"""Telling people that a provider keeps refusing the prices of a symbol, and that this is over."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import psycopg

from tradewright.core.errors import TradewrightError
from tradewright.liquidity.fix.store import SessionOpener
from tradewright.postgres.queries import load_queries

_QUERIES = "tradewright.liquidity.fix"

_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class RefusedSymbols:
    """What people are told of a provider's refusals: one alert of a symbol until it has a price."""

    open_session: SessionOpener
    provider: str
    _told: set[str] | None = field(default=None)

    def tell(self, refused: Mapping[str, str], priced: Collection[str]) -> None:
        """Raise alerts of what is refused, and end those of what has a price again.

        What cannot be written now is written the next time; one call after the other.
        """
        told = self._told
        if told is not None and refused.keys() <= told and told.isdisjoint(priced):
            return
        try:
            self._told = self._write(refused, priced)
        except (psycopg.Error, TradewrightError) as error:
            _LOG.warning("refusals of %s could not be told yet: %s", self.provider, error)

    def _write(self, refused: Mapping[str, str], priced: Collection[str]) -> set[str]:
        queries = load_queries(_QUERIES)
        with self.open_session() as session, session.transaction():
            told = self._told
            if told is None:
                rows = session.execute(queries["refused_symbols"], {"provider": self.provider})
                told = {symbol for (symbol,) in rows}
            new, over = sorted(refused.keys() - told), sorted(told.intersection(priced))
            facts = {"provider": self.provider, "symbols": new, "whys": [refused[s] for s in new]}
            if new:
                session.execute(queries["raise_refused_symbols"], facts)
            if over:
                ended = {"provider": self.provider, "symbols": over}
                session.execute(queries["resolve_refused_symbols"], ended)
        return (told | set(new)) - set(over)
