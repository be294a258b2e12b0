"""What the house itself has failed on, where no client waits to be told: kept, and told once."""

import psycopg

from tradewright.core.defects import defect
from tradewright.core.errors import DatabaseError, InternalError, TradewrightError
from tradewright.postgres.refusals import translate


class Failures:
    """The last failure since somebody asked; a refusal is none."""

    def __init__(self) -> None:
        self._last: DatabaseError | InternalError | None = None

    def note(self, error: Exception) -> None:
        """Remember a failure, whatever raised it."""
        if isinstance(error, psycopg.Error):
            error = translate(error)
        elif not isinstance(error, TradewrightError):
            error = _unforeseen(error)
        if isinstance(error, DatabaseError | InternalError):
            self._last = error

    def tell(self) -> None:
        """Raise what was noted since the last call.

        Raises:
            DatabaseError: the server refused, failed or was away.
            InternalError: a defect.

        """
        last, self._last = self._last, None
        if last is not None:
            raise last


def _unforeseen(error: Exception) -> InternalError:
    """Return what is told when our own code fails on what follows from a batch."""
    return defect(
        "the engine could not follow up what it has booked",
        error,
        why="Our own code failed after the commit. What was booked stands, but what waits for a"
        " price or for a provider may not have been told of it.",
        hint="Report this with the facts, and restart: the engine learns anew what is open.",
    )
