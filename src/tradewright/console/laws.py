"""The laws, held against the database when somebody asks: one check at a time, for all who wait.

What came of each is kept by the database (`audit`), so every console shows the same.
"""

from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from tradewright.audit import check_and_keep_laws
from tradewright.core.clock import utc_now
from tradewright.postgres.connect import Session


@dataclass(slots=True)
class LawKeeper:
    """Lets one check of the laws run at a time."""

    _began_at: datetime | None = None
    _turn: Lock = field(default_factory=Lock)

    def check(self, session: Session, *, actor: str) -> None:
        """Check every law; who has waited while another check began and ended is given that one.

        Raises:
            DatabaseError: DATABASE_TIMEOUT, when the session's limit is passed.

        """
        asked_at = utc_now()
        with self._turn:
            if self._began_at is None or self._began_at < asked_at:
                began_at = utc_now()
                check_and_keep_laws(session, actor=actor)
                self._began_at = began_at
