"""Seal the audit rows of all ended transactions."""

from tradewright.audit import seal
from tradewright.operations.model import Job, Means


def _work(means: Means) -> int:
    with means.source() as session:
        return seal(session)


JOB = Job(name="seal_audit_log", work=_work)
