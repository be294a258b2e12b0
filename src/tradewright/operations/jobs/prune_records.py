"""Delete what has been kept for as long as it must be: messages of venues, and runs of jobs.

Some at a time, each in a transaction of its own. Disabling the job holds everything back, as when
a court or a regulator asks for it.
"""

from tradewright.operations.model import Job, Means
from tradewright.postgres.queries import load_queries

_AT_ONCE = 10_000
_TIMES_MAX = 1_000


def pruned(means: Means, name: str) -> int:
    """Let a query delete some at a time until nothing is left; return how much it was."""
    query, count = load_queries("tradewright.operations.jobs")[name], 0
    with means.source() as session:
        for _ in range(_TIMES_MAX):
            row = session.execute(query, {"rows_max": _AT_ONCE}).fetchone()
            gone = 0 if row is None else int(row[0])
            count += gone
            if not gone:
                break
    return count


def _work(means: Means) -> int:
    return pruned(means, "prune_records")


JOB = Job(name="prune_records", work=_work)
