"""Delete what has been kept for as long as it must be: messages of venues, and runs of jobs.

Some at a time, each in a transaction of its own. Disabling the job holds everything back, as when
a court or a regulator asks for it.
"""

from tradewright.operations.model import Job, Means
from tradewright.postgres.queries import load_queries

_AT_ONCE = 10_000
_TIMES_MAX = 1_000


def _work(means: Means) -> int:
    query, count = load_queries("tradewright.operations.jobs")["prune_records"], 0
    with means.source() as session:
        for _ in range(_TIMES_MAX):
            row = session.execute(query, {"rows_max": _AT_ONCE}).fetchone()
            pruned = 0 if row is None else int(row[0])
            count += pruned
            if not pruned:
                break
    return count


JOB = Job(name="prune_records", work=_work)
