"""Refresh the reporting views beside their readers, the one with the oldest figures first.

A view that fails shows what it showed before and holds up none of the others; the run tells of it.
Only when none could be refreshed the run has failed.
"""

from tradewright.core.errors import ErrorCode, StateError
from tradewright.operations.model import Done, Job, Means
from tradewright.operations.views import Refresh, refresh_all


def _work(means: Means) -> Done:
    refreshes = refresh_all(means.source)
    failed = [each for each in refreshes if each.error is not None]
    if failed and len(failed) == len(refreshes):
        raise StateError(
            ErrorCode.VIEW_REFRESH_FAILED,
            "no reporting view could be refreshed",
            why=f"The first, {_told(failed[0])}.",
            hint="Look at what failed with `tradewright views list`.",
        )
    left = f"{len(failed)} left, the first: {_told(failed[0])}" if failed else None
    return Done(len(refreshes) - len(failed), left)


def _told(failed: Refresh) -> str:
    return f"{failed.view}: {failed.error}"


JOB = Job(name="refresh_reporting_views", work=_work)
