"""Give holds that have expired back to their wallets, a thousand at a time."""

from tradewright.ledger import expire_holds
from tradewright.operations.model import Job, Means

_AT_ONCE = 1000
_TIMES_MAX = 100


def _work(means: Means) -> int:
    count = 0
    with means.source() as session:
        for _ in range(_TIMES_MAX):
            expired = expire_holds(session, count_max=_AT_ONCE)
            count += expired
            if expired < _AT_ONCE:
                break
    return count


JOB = Job(name="expire_holds", work=_work)
