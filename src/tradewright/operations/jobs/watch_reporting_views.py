"""Tell people of reporting views that are twice as old as they may be.

It is a job of its own, because the one that refreshes may be disabled, or wait for what it reads.
"""

from tradewright.operations.model import Job, Means
from tradewright.operations.views import raise_overdue


def _work(means: Means) -> int:
    with means.source() as session:
        return raise_overdue(session)


JOB = Job(name="watch_reporting_views", work=_work)
