"""Tell others what became of payments: the outbox, to the endpoint that the runner was given.

An event is sent at least once; its receiver tells repeats apart by their id.
"""

from tradewright.operations.model import Job, Means
from tradewright.payments.outbox import deliver_due


def _lacks(means: Means) -> str:
    return "" if means.endpoint else "an endpoint to deliver to"


def _work(means: Means) -> int:
    if means.endpoint is None:
        return 0
    with means.source() as session:
        return deliver_due(session, means.endpoint, count_max=1000).delivered


JOB = Job(name="deliver_events", work=_work, lacks=_lacks)
