"""The one clock of the house: nothing else asks the system for the time.

Wall-clock times are aware UTC values; durations are measured on the monotonic clock. Times that
must be ordered against other rows of the database are stamped by the server
(`clock_timestamp()`), never here.
"""

import time
from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the current instant as an aware UTC datetime (microseconds)."""
    return datetime.now(UTC)


def monotonic_seconds() -> float:
    """Return seconds on a clock that never goes back; only differences mean something."""
    return time.perf_counter()


def pause(seconds: float) -> None:
    """Block the calling thread for `seconds`."""
    time.sleep(seconds)
