"""Seal the audit rows of all ended transactions, and see that months lie ahead for the next ones.

Every five minutes, so that people hear of it also where nobody makes partitions any more.
"""

from tradewright.audit import seal
from tradewright.operations.model import Job, Means
from tradewright.operations.partitions import tell_months_ahead


def _work(means: Means) -> int:
    with means.source() as session:
        tell_months_ahead(session)
        return seal(session)


JOB = Job(name="seal_audit_log", work=_work)
