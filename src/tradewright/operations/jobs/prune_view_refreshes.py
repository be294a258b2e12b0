"""Delete what is known of refreshes of reporting views after ninety days, but each last good one.

Some at a time, each in a transaction of its own; disabling the job holds everything back.
"""

from tradewright.operations.jobs.prune_records import pruned
from tradewright.operations.model import Job, Means


def _work(means: Means) -> int:
    return pruned(means, "prune_view_refreshes")


JOB = Job(name="prune_view_refreshes", work=_work)
