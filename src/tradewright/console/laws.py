"""The laws, held against the database when somebody asks; the last outcome is kept in memory.

The database keeps no record of such checks, so a console that was just started knows of none. One
check runs at a time, for all who ask meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from tradewright.audit import LawResult, check_laws
from tradewright.core.clock import monotonic_seconds, utc_now
from tradewright.postgres.connect import Session


@dataclass(frozen=True, slots=True)
class LawsChecked:
    """When the laws were checked, how long it took, and what came of it."""

    checked_at: datetime
    seconds: float
    results: Mapping[str, LawResult]

    @property
    def broken(self) -> Mapping[str, LawResult]:
        """Return the laws that are broken."""
        return {name: result for name, result in self.results.items() if result.broken}


@dataclass(slots=True)
class LawKeeper:
    """Checks the laws and remembers the last outcome of this console."""

    last: LawsChecked | None = None
    _turn: Lock = field(default_factory=Lock)

    def check(self, session: Session) -> LawsChecked:
        """Check every law; who has waited for another's check is given that one if it began since.

        Raises:
            DatabaseError: DATABASE_TIMEOUT, when the session's limit is passed.

        """
        asked_at = utc_now()
        with self._turn:
            if self.last is None or self.last.checked_at < asked_at:
                began_at, began = utc_now(), monotonic_seconds()
                results = check_laws(session)
                self.last = LawsChecked(began_at, monotonic_seconds() - began, results)
            return self.last
