"""Record what currencies are worth, from the last prices that engines have kept.

Limits of payments are counted by it. A market that is closed keeps its last price, and what was
recorded before is not recorded again.
"""

from tradewright.operations.model import Job, Means
from tradewright.payments.limits import LIMIT_CURRENCY
from tradewright.postgres.queries import load_queries


def _work(means: Means) -> int:
    query = load_queries("tradewright.operations.jobs")["record_rates"]
    with means.source() as session:
        return session.execute(query, {"currency": LIMIT_CURRENCY}).rowcount


JOB = Job(name="record_rates", work=_work)
