"""Note how far the clocks may be from UTC: this host's by its kernel, the server's by asking it.

The records are stamped by the database server. Its clock is compared with this host's by Cristian's
method: the server's answer lies between the question and the answer's arrival, so it is known up to
half of the round trip; of some tries the shortest counts.
"""

import platform
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from tradewright.core.clock import utc_now
from tradewright.core.kernel_clock import KernelClock, read_kernel_clock
from tradewright.operations.model import Done, Job, Means
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

_TRIES = 8
_MICROSECOND = timedelta(microseconds=1)
_GRANULARITY_US = Decimal(1)


def server_difference_us(session: Session) -> tuple[Decimal, Decimal]:
    """Return how far the server's clock is ahead of ours, and by how much that may be wrong."""
    query = load_queries("tradewright.operations.jobs")["server_clock"]
    measured = []
    for _ in range(_TRIES):
        asked_at = utc_now()
        row = session.execute(query).fetchone()
        answered_at = utc_now()
        if row is None:
            raise AssertionError("a SELECT without FROM gives a row")
        measured.append(compared(asked_at, row[0], answered_at))
    uncertainty, difference = min(measured)
    return difference, uncertainty


def compared(
    asked_at: datetime, server_at: datetime, answered_at: datetime
) -> tuple[Decimal, Decimal]:
    """Return how wrong the difference may be, and the difference; each clock shows microseconds."""
    ahead_at_most = (server_at - asked_at) // _MICROSECOND
    ahead_at_least = (server_at - answered_at) // _MICROSECOND
    uncertainty = Decimal(ahead_at_most - ahead_at_least) / 2 + _GRANULARITY_US
    return uncertainty, Decimal(ahead_at_most + ahead_at_least) / 2


def kernel_columns() -> Mapping[str, object]:
    """Return what the kernel says of the host's clock, or why it says nothing."""
    told = read_kernel_clock()
    if not isinstance(told, KernelClock):
        unknown = dict.fromkeys(
            ("is_synchronised", "offset_us", "error_us_max", "error_us_estimated")
        )
        return {**unknown, "unknown_reason": told.reason}
    return {
        "is_synchronised": told.is_synchronised,
        "offset_us": told.offset_us,
        "error_us_max": told.error_us_max,
        "error_us_estimated": told.error_us_estimated,
        "unknown_reason": None,
    }


def _work(means: Means) -> Done:
    query = load_queries("tradewright.operations.jobs")["add_clock_sample"]
    with means.source() as session:
        difference, uncertainty = server_difference_us(session)
        sample = {
            "host": platform.node() or "unnamed",
            **kernel_columns(),
            "server_difference_us": difference,
            "server_uncertainty_us": uncertainty,
        }
        row = session.execute(query, sample).fetchone()
    return Done(1, None if row is None or row[0] == "within" else f"the clock is {row[0]}")


JOB = Job(name="sample_clock", work=_work)
