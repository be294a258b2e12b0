"""Give holds that have expired back to their wallets, some at a time, and tell what was refused.

Each hold is given back in a subtransaction. A server keeps 64 of a session at hand; with more it
slows everybody's snapshots, so a sweep takes fewer.
"""

from tradewright.ledger import expire_holds
from tradewright.operations.model import Done, Job, Means

_AT_ONCE = 50
_TIMES_MAX = 2000


def _work(means: Means) -> Done:
    released, refused, refusal = 0, 0, None
    with means.source() as session:
        for _ in range(_TIMES_MAX):
            sweep = expire_holds(session, count_max=_AT_ONCE, skip_count=refused)
            released += sweep.released
            refused += sweep.refused
            refusal = refusal or sweep.refusal
            if sweep.released + sweep.refused < _AT_ONCE:
                break
    return Done(released, f"{refused} left, the first: {refusal}" if refused else None)


JOB = Job(name="expire_holds", work=_work)
